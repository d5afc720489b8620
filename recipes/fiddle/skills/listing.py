# ruff: noqa: E501  (phrase lists read best in long lines)
"""Listing: pull the members of a kind out of a text, as bullets, numbered, by commas, sorted or counted."""

from __future__ import annotations

from luthier.records.prompts import list_items
from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw, joined
from recipes.fiddle.rows import Row, compact, single

PLATFORM_SHARE = 0.3
# fmt: off
KINDS = {"animals": "animals", "foods": "foods", "colours": "colours", "things": "things", "jobs": "jobs", "hobbies": "hobbies"}
FRAMES = ("{p} wrote down {items}.", "There were {items} in the book of {p}.", "{p} spoke of {items}.", "In {t} we talked about {items}.",
          "The picture of {p} shows {items}.", "I remember {items}.", "On the page stood {items}.")  # fmt: skip
OTHERS = ("{p} lives in {t}.", "It was a long day for {p}.", "{p} came late.", "Nobody in {t} knew.", "The book belongs to {p}.", "We met in {t}.")
BULLETS = ("List the {kind} as bullets.", "Make a list of the {kind}.", "Write each of the {kind} on a line.", "Bullet list of the {kind}, please.",
           "Which {kind} are named? Use bullets.")  # fmt: skip
NUMBERED = ("Number the {kind}.", "Give a numbered list of the {kind}.", "List the {kind} with numbers.", "Write the {kind} as 1., 2., 3.",
            "Make a numbered list of the {kind}.")  # fmt: skip
COMMAS = ("Name the {kind}, with commas.", "Which {kind} are named?", "Give all the {kind}.", "List the {kind} in one line.", "Tell me the {kind}.")
SORTED = ("Sort the {kind} from A to Z.", "List the {kind} in alphabetical order.", "Put the {kind} in order, A first.",
          "Order the {kind} by the alphabet.", "Alphabetical list of the {kind}, please.")  # fmt: skip
COUNT = ("How many {kind} are named?", "Count the {kind}.", "Give the number of {kind}.", "How many {kind} does the text name?", "The count of {kind}?")
AS_JSON = ("Give the {kind} as a JSON list.", "JSON list of the {kind}.", "Write the {kind} as JSON.", "Answer with a JSON array of the {kind}.",
           "Put the {kind} into a JSON list.")  # fmt: skip
# fmt: on


def listing(draw: Draw) -> Row:
    """Returns a row with a text that names members of a kind, and a wish for a list of them."""
    kind = draw.any(sorted(KINDS))
    items = draw.words(KINDS[kind], draw.between(2, 2 + draw.level))
    text = draw.phrase(FRAMES).format(p=draw.first_name(), t=draw.town(), items=joined(items))
    if draw.chance(0.25 * draw.level):
        text += " " + draw.phrase(OTHERS).format(p=draw.first_name(), t=draw.town())
    if draw.chance(PLATFORM_SHARE):
        return single(list_items(kind, text), "\n".join(f"- {item}" for item in items))
    forms = (
        (BULLETS, "\n".join(f"- {item}" for item in items)),
        (NUMBERED, "\n".join(f"{i}. {item}" for i, item in enumerate(items, 1))),
        (COMMAS, ", ".join(items)),
        (SORTED, ", ".join(sorted(items))),
        (COUNT, str(len(items))),
        (AS_JSON, compact(items)),
    )
    asks, answer = draw.any(forms if draw.level > 1 else forms[:3])
    return single(draw.phrase(prompts.LISTING).format(text=text, ask=draw.phrase(asks).format(kind=kind)), answer)
