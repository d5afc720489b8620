# ruff: noqa: E501  (word lists read best one label a line)
"""Classification by the words of a text: what is positive, what belongs to sport. The words are few compared with a
language, and many compared with the phrasings of `classification`."""

from __future__ import annotations

from collections.abc import Mapping

from recipes.fiddle.draw import Draw, article
from recipes.fiddle.rows import Row
from recipes.fiddle.skills.classification import several

# fmt: off
MOODS: Mapping[str, str] = {
    "positive": "good great nice fine lovely wonderful excellent perfect amazing fantastic brilliant superb delightful pleasant charming beautiful splendid happy glad pleased delighted satisfied grateful thankful cheerful joyful proud fun friendly helpful kind best favourite outstanding impressive reliable comfortable tasty delicious clean bright smooth quick",
    "negative": "bad poor awful terrible horrible dreadful nasty ugly broken useless worst worse sad angry upset annoyed disappointed furious unhappy sorry afraid boring dull dirty rude slow noisy painful faulty cheap weak wrong unfriendly tasteless cold greasy worthless hopeless miserable ruined spoiled dangerous",
    "neutral": "new old big small round square red blue green wooden metal paper long short wide narrow heavy light second third usual common plain local daily weekly white black grey brown flat thin thick empty full open closed early late",
}
TOPICS: Mapping[str, str] = {
    "sport": "match team goal player coach race cup league football tennis runner stadium referee ball medal record swimmer score trainer season",
    "food": "soup bread cheese dinner lunch salt pepper kitchen cook menu recipe oven cake meal plate butter salad sauce dish bakery",
    "weather": "rain storm snow wind sun cloud fog frost heat thunder ice sky forecast hail temperature drizzle breeze lightning flood drought",
    "music": "song band choir piano violin guitar concert tune orchestra singer drum melody album note chorus opera flute stage trumpet rhythm",
    "travel": "train bus ferry ship plane hotel ticket journey passport airport suitcase tourist trip map station flight beach harbour luggage holiday",
    "money": "bank loan tax price account share profit debt coin salary bill budget cash interest market wallet fund payment fee credit",
    "school": "teacher pupil exam lesson homework class student book classroom grade pencil university essay course library maths test desk college diploma",
    "animals": "dog cat horse bird fish cow sheep lion tiger zoo nest puppy kitten farm wolf bear fox rabbit elephant stable",
    "health": "doctor nurse pill fever cough clinic hospital pain medicine bandage flu patient illness dentist wound heart headache surgery cure ambulance",
    "gardening": "rose seed lawn hedge weed flower plant soil spade pot tree bush tulip watering greenhouse bulb rake compost leaf branch",
    "law": "judge court lawyer contract trial crime prison witness police verdict jury thief rights clause guilt sentence appeal fine suspect evidence",
    "space": "rocket moon star planet comet telescope orbit astronaut galaxy satellite Mars probe meteor crater universe spacecraft eclipse Saturn launch shuttle",
}
MOOD_FRAMES = (
    "The {x} is {w}.", "The {x} was {w}.", "What a {w} {x}!", "A {w} {x}.", "I find the {x} {w}.", "It is a {w} {x}.", "We had a {w} {x}.",
    "{p} bought a {w} {x}.", "The {x} of {p} looks {w}.", "This {x} is really {w}.", "My {x} was {w} today.", "{p} calls the {x} {w}.",
    "The {x} in {t} seemed {w}.", "Their {x} is {w} as always.", "So {w}, this {x}!",
)  # fmt: skip
TOPIC_FRAMES = (
    "The {w} of {p} is here.", "{p} spoke about the {w} and the {v}.", "There was a {w} in {t}.", "They showed a {w} near {t}.", "In {t} everyone knew the {w}.",
    "{p} read about the {w}.", "First the {w}, then the {v}.", "The {w} was the talk of {t}.", "{p} thought of the {w} all day.", "Without the {w} there is no {v}.",
    "{p} has never seen such a {w}.", "A {w} and a {v} in one day!", "The news from {t}: a {w}.",
)  # fmt: skip
# fmt: on


def by_words(draw: Draw) -> Row:
    """Returns a row with three labels and two to five texts, each told by its words."""
    family, frames = (MOODS, MOOD_FRAMES) if draw.chance(0.4) else (TOPICS, TOPIC_FRAMES)
    names = draw.random.sample(sorted(family), 3)
    answers = [draw.any(names) for _ in range(draw.between(2, 5))]
    return several(draw, names, [_text(draw, family[name].split(), frames) for name in answers], answers)


def _text(draw: Draw, words: list[str], frames: tuple[str, ...]) -> str:
    first, second = draw.random.sample(words, 2)
    text = draw.phrase(frames).format(w=first, v=second, x=draw.thing(), p=draw.first_name(), t=draw.town())
    return text.replace(f"a {first}", article(first)) if first[0] in "aeiou" else text
