# ruff: noqa: E501  (phrase lists read best in long lines)
"""Rows with many answers about one text: the same skills, with several times the labelled tokens for what is read."""

from __future__ import annotations

from luthier.records.prompts import NO_ANSWER, extract, from_passage
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, Turns, compact, single
from recipes.fiddle.skills import classification, extraction, passage
from recipes.fiddle.skills.copying import some_text, some_word

ASKED = ("{key}", "{key}?", "What is {key}?", "Give {key}.", "And {key}?", "Now {key}.", "Tell me {key}.")
AGAIN = (
    "Only {fields}.",
    "Now {fields}.",
    "{fields}?",
    "JSON with {fields}:",
    "And {fields}.",
    "Just {fields}, please.",
)
MORE_AGAIN = (
    "Once more, with {fields} alone.", "This time only {fields}.", "Please give me {fields} again.", "Reduce it to {fields}.", "Can I have {fields}?", "What about {fields}?", "The same with {fields}.",
    "Leave all out but {fields}.", "I only need {fields} now.", "Next: {fields}.", "Show me {fields}.", "Keys: {fields}", "Again, but just {fields}.", "And as JSON with {fields}?", "Now the object with {fields}.",
    "Then {fields}, please.", "Shorter: {fields}.", "Another one: {fields}.", "Repeat {fields}.", "Let me have {fields}.", "Drop the rest, keep {fields}.", "Return {fields} only.",
)  # fmt: skip


def over_and_over(draw: Draw) -> Row:
    """Returns a row that says a short text again and again."""
    text = some_text(draw, 1, 8)
    return single(text, " ".join([text] * max(2, 20 // len(text.split()))))


def look_ups(draw: Draw) -> Row:
    """Returns a row with pairs of key and value, and a turn for each of ten keys."""
    keys = list(dict.fromkeys(some_word(draw) for _ in range(draw.between(2, 8))))
    values = {key: some_word(draw) for key in keys}
    middle, joint = draw.any((": ", " = ", " is ", " -> ", " ")), draw.any((", ", "; ", "\n", ". "))
    text = joint.join(f"{key}{middle}{value}" for key, value in values.items())
    form = draw.phrase(ASKED)
    asked = [draw.any(keys) for _ in range(10)]
    questions = [form.format(key=key) for key in asked]
    return Turns(((f"{text}\n{questions[0]}", values[asked[0]]), *_rest(questions, asked, values))).row()


def _rest(questions: list[str], asked: list[str], values: dict[str, str]) -> list[tuple[str, str]]:
    return [(question, values[key]) for question, key in zip(questions[1:], asked[1:], strict=True)]


def passages(draw: Draw) -> Row:
    """Returns a row with a passage and up to six questions about it."""
    found = passage.facts(draw)
    text = passage.passage(draw, found)
    asked = (draw.random.sample(found, len(found)) * 2)[:6]
    pairs = [(fact.question(draw), fact.value) for fact in asked]
    if draw.level > 1 and draw.chance(0.3):
        pairs.insert(draw.between(0, len(pairs)), (passage.missing_question(draw, found), NO_ANSWER))
    first = from_passage(text, pairs[0][0])
    if not draw.chance(passage.PLATFORM_SHARE):
        first = wrappers.asked(draw, prompts.PASSAGE, wrappers.passage).format(passage=text, question=pairs[0][0])
    return Turns(((first, pairs[0][1]), *pairs[1:])).row()


def records(draw: Draw) -> Row:
    """Returns a row with one message and two to four wishes for some of its fields."""
    domain = extraction.drawn_domain(draw)
    wanted = extraction.chosen_slots(draw, domain)
    text, record = extraction.message_of(draw, domain, wanted)
    keys = list(record)
    if draw.chance(0.5):
        sample = {key: slot.value(draw) for key, slot in wanted}
        first = extract(extraction.schema_of(wanted, sample), text)
    else:
        named = extraction.named(draw, keys)
        first = wrappers.asked(draw, prompts.EXTRACT_FIELDS, wrappers.fields).format(fields=named, message=text)
    pairs = [(first, compact(record))]
    for _ in range(draw.between(1, 3)):
        some = draw.random.sample(keys, draw.between(1, len(keys)))
        asked = draw.phrase_or(AGAIN, MORE_AGAIN).format(fields=extraction.named(draw, some))
        pairs.append((asked, compact({key: record[key] for key in some})))
    return Turns(tuple(pairs)).row()


def labels(draw: Draw) -> Row:
    """Returns a row with three labels and three to six texts."""
    makers = classification.makers(draw)
    names = list(makers)
    answers = [draw.any(names) for _ in range(draw.between(3, 6))]
    return classification.several(draw, names, [makers[answer](draw) for answer in answers], answers)
