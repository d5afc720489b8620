# ruff: noqa: E501  (phrase lists read best one label a line)
"""Classification into three labels that the prompt names: mood, topic, kind of sentence, kind of thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from luthier.records.prompts import classify as platform_format
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw, joined
from recipes.fiddle.rows import Row, Turns, single
from recipes.fiddle.skills import cues

Maker = Callable[[Draw], str]
PLATFORM_SHARE = 0.4
NEW_FAMILY_SHARE = 0.2

# fmt: off
MOODS: Mapping[str, tuple[str, ...]] = {
    "positive": ("I love the {x}.", "The {x} is wonderful.", "What a lovely {x}!", "The {x} made my day.", "I am so happy with the {x}.", "The best {x} I ever had.", "Great {x}, I will come again.", "The {x} was a real joy.", "Thank you for the perfect {x}.", "Everyone praised the {x}.", "I smile whenever I see the {x}.", "We were delighted with the {x}."),
    "negative": ("I hate the {x}.", "The {x} is awful.", "What a terrible {x}!", "The {x} spoiled my day.", "I am so angry about the {x}.", "The worst {x} I ever had.", "Bad {x}, never again.", "The {x} was a great pity.", "I want my money back for the {x}.", "Everyone complained about the {x}.", "I cry whenever I see the {x}.", "We were upset about the {x}."),
    "neutral": ("The {x} is on the table.", "I bought the {x} on Monday.", "There is a {x} in the hall.", "The {x} is three years old.", "She has the same {x}.", "The {x} came in a box.", "They sell the {x} in town.", "He showed me a {x}.", "The {x} weighs two kilos.", "This is a {x}.", "The {x} stands by the door.", "We saw a {x} yesterday."),
}
TOPICS: Mapping[str, tuple[str, ...]] = {
    "sport": ("{p} scored in the last minute.", "The team of {p} won the cup.", "The match in {t} ended in a draw.", "{p} ran the race in record time.", "The coach praised {p} after the game."),
    "food": ("{p} cooked {f} for dinner.", "The soup needs salt and {f}.", "Bake the {f} for an hour.", "The menu in {t} offers {f}.", "{p} tasted the {f} and asked for more."),
    "weather": ("It will rain in {t} tomorrow.", "A storm is coming to {t}.", "The sun shines over {t} all week.", "Snow fell in {t} last night.", "Fog and wind are expected in {t}."),
    "music": ("{p} played the first song.", "The band from {t} sang all night.", "The choir of {t} needs a singer.", "{p} wrote a tune for the piano.", "The orchestra tuned for {p}."),
    "travel": ("The train to {t} leaves at noon.", "{p} flew to {t} with two bags.", "Our hotel in {t} was near the beach.", "{p} missed the bus to {t}.", "The ferry to {t} takes an hour."),
    "money": ("{p} opened an account at the bank.", "The tax in {t} went up again.", "{p} paid back the loan.", "Prices in {t} fell by a tenth.", "The shares of {p} lost half their value."),
    "school": ("{p} passed the exam.", "The pupils in {t} learn to read.", "The teacher gave {p} homework.", "{p} forgot the schoolbook.", "The lessons in {t} begin at eight."),
    "animals": ("The {a} of {p} had three young.", "A wild {a} was seen near {t}.", "{p} feeds the {a} every day.", "The {a} hid in the grass.", "The {a} in the zoo of {t} is ill."),
    "health": ("{p} went to the doctor with a cough.", "The clinic in {t} is full.", "{p} takes a pill every night.", "The nurse gave {p} a bandage.", "Fever and pain kept {p} in bed."),
    "gardening": ("{p} planted roses by the wall.", "Water the seeds in the morning.", "The lawn in {t} must be cut.", "{p} dug up the weeds.", "The hedge of {p} has grown."),
    "law": ("The judge in {t} heard {p}.", "{p} signed the contract.", "The court found {p} guilty.", "A lawyer from {t} spoke for {p}.", "The new law in {t} begins in May."),
    "space": ("The rocket with {p} reached the moon.", "A comet passes the sun tonight.", "{p} looked at the stars.", "The probe sent pictures from Mars.", "The telescope near {t} found a planet."),
}
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "question": ("Where is the {x}?", "Do you have a {x}?", "Who took the {x}?", "Is the {x} new?", "How much is the {x}?", "Can {p} bring the {x}?", "When did {p} lose the {x}?"),
    "statement": ("The {x} is here.", "{p} has a {x}.", "I took the {x}.", "The {x} is new.", "{p} paid for the {x}.", "{p} will bring the {x}.", "We never saw the {x}."),
    "command": ("Bring me the {x}.", "Put the {x} down.", "Take the {x} to {p}.", "Buy a new {x}!", "Look at the {x}.", "Give {p} the {x}.", "Do not lose the {x}."),
}
TIMES: Mapping[str, tuple[str, ...]] = {
    "past": ("{p} found a {x} yesterday.", "Last year {p} went to {t}.", "{p} had a {x} as a child.", "The {x} was lost long ago.", "{p} lived in {t} before."),
    "present": ("{p} is holding a {x} now.", "Today {p} is in {t}.", "{p} has a {x} at the moment.", "The {x} is on the table.", "{p} lives in {t} now."),
    "future": ("{p} will find a {x} tomorrow.", "Next year {p} will go to {t}.", "{p} will have a {x} one day.", "The {x} will be lost soon.", "{p} is going to live in {t}."),
}
THINGS: Mapping[str, Maker] = {
    "animal": lambda draw: draw.word("animals"), "food": lambda draw: draw.word("foods"), "colour": lambda draw: draw.word("colours"),
    "job": lambda draw: draw.word("jobs"), "country": lambda draw: draw.word("countries"), "number": lambda draw: str(draw.between(0, 9999)),
    "person": Draw.person, "date": Draw.date, "street": Draw.street, "hobby": lambda draw: draw.word("hobbies"), "price": lambda draw: f"${draw.between(1, 200)}",
}  # fmt: skip
# fmt: on


def _fill(draw: Draw, phrasing: str) -> str:
    text = phrasing.format(
        x=draw.thing(), p=draw.first_name(), t=draw.town(), f=draw.word("foods"), a=draw.word("animals")
    )
    return text if draw.held_out else re.sub(r"\b([Aa]) (?=[aeio](?!ne\b))", r"\1n ", text)


def makers(draw: Draw) -> dict[str, Maker]:
    """Returns three labels, in random order, each with what makes a text of it."""
    chosen = draw.between(0, 6)
    if chosen == 0:
        labels = draw.random.sample(sorted(THINGS), 3)
        return {label: THINGS[label] for label in labels}
    family = (MOODS, TOPICS, TOPICS, SENTENCES, TIMES, MOODS)[chosen - 1]
    if not draw.held_out and draw.chance(NEW_FAMILY_SHARE):
        family = draw.any((cues.INTENTS, cues.EMOTIONS, {**TOPICS, **cues.MORE_TOPICS}))
    labels = draw.random.sample(sorted(family), 3)
    return {label: _maker(family[label], cues.TEXTS.get(label, ())) for label in labels}


def _maker(phrasings: Sequence[str], more: Sequence[str]) -> Maker:
    return lambda draw: _fill(draw, draw.phrase_or(phrasings, more))


def classify(draw: Draw) -> Row:
    """Returns a row with a text and three labels; from level 2 on sometimes a chat that labels several texts."""
    made = makers(draw)
    labels = list(made)
    named = draw.any((joined(labels, "or"), ", ".join(labels), joined(labels, "or")))
    answer = draw.any(labels)
    if draw.chance(0.3):
        system = draw.loosely(prompts.CLASSIFY_SYSTEM, wrappers.CLASSIFY_SYSTEM).format(labels=named)
        count = draw.between(1, 1 + draw.level)
        answers = [draw.any(labels) for _ in range(count)]
        return Turns(tuple((made[label](draw), label) for label in answers), system).row()
    if draw.chance(PLATFORM_SHARE):
        return single(platform_format(labels, made[answer](draw)), answer)
    return single(
        wrappers.asked(draw, prompts.CLASSIFY, wrappers.classes).format(labels=named, text=made[answer](draw)), answer
    )


def several(draw: Draw, names: list[str], texts: list[str], answers: list[str]) -> Row:
    """Returns a row that labels several texts, the labels named once in a system message or with each text."""
    listed = draw.any((joined(names, "or"), ", ".join(names)))
    if draw.chance(0.4):
        system = draw.loosely(prompts.CLASSIFY_SYSTEM, wrappers.CLASSIFY_SYSTEM).format(labels=listed)
        return Turns(tuple(zip(texts, answers, strict=True)), system).row()
    form = wrappers.asked(draw, (*prompts.CLASSIFY, ""), wrappers.classes)
    asked = [form.format(labels=listed, text=text) if form else platform_format(names, text) for text in texts]
    return Turns(tuple(zip(asked, answers, strict=True))).row()
