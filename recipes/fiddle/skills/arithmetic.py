# ruff: noqa: E501  (phrase lists read best in long lines)
"""Small arithmetic: sums, differences, products, comparisons, series, and little stories about amounts."""

from __future__ import annotations

from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, single

PLUS = ("{a} plus {b}", "{a} + {b}", "{a} and {b} together", "the sum of {a} and {b}", "{a} added to {b}")
MINUS = ("{a} minus {b}", "{a} - {b}", "{a} less {b}", "the difference of {a} and {b}", "{b} taken from {a}")
TIMES = ("{a} times {b}", "{a} x {b}", "{a} * {b}", "the product of {a} and {b}", "{a} multiplied by {b}")
LARGER = ("Which is larger, {a} or {b}?", "What is more: {a} or {b}?", "Larger number: {a}, {b}", "Pick the bigger one of {a} and {b}.",
          "Is {a} or {b} the greater number?")  # fmt: skip
NEXT = (
    "{series}, what comes next?",
    "Continue: {series}",
    "Next number after {series}?",
    "{series}, ...",
    "Go on: {series}",
)
GAIN = ("{p} has {a} {x}. {q} brings {b} more. How many {x} are there now?", "There were {a} {x}. Then came {b} more. How many {x} now?",
        "{p} picked {a} {x} and {q} picked {b}. How many {x} together?", "{a} {x} in one box, {b} in the other. How many in all?",
        "{p} bought {a} {x}, then {b} more. How many {x} has {p}?")  # fmt: skip
LOSS = ("{p} has {a} {x} and gives away {b}. How many are left?", "There were {a} {x}. {q} took {b}. How many remain?",
        "Of {a} {x}, {b} are sold. How many are left?", "{p} had {a} {x} and lost {b}. How many now?",
        "{a} {x} stood on the shelf, {b} fell. How many still stand?")  # fmt: skip


def _pair(draw: Draw, most: int) -> tuple[int, int]:
    a, b = draw.between(0, most), draw.between(0, most)
    return max(a, b), min(a, b)


def arithmetic(draw: Draw) -> Row:
    """Returns a row with one small calculation; the numbers grow with the level."""
    most = (20, 50, 100)[draw.level - 1]
    a, b = _pair(draw, most)
    kind = draw.between(0, 5 if draw.level > 1 else 3)
    if kind == 2:
        a, b = draw.between(0, 10), draw.between(0, 10)
    if kind < 3:
        forms, answer = ((PLUS, a + b), (MINUS, a - b), (TIMES, a * b))[kind]
        return single(draw.phrase(prompts.SUMS).format(sum=draw.phrase(forms).format(a=a, b=b)), str(answer))
    if kind == 3:
        first, second = (a, b) if draw.chance(0.5) else (b, a)
        return single(draw.phrase(LARGER).format(a=first, b=second), str(a))
    if kind == 4:
        step, start = draw.between(1, 5), draw.between(0, 30)
        series = ", ".join(str(start + i * step) for i in range(4))
        return single(draw.phrase(NEXT).format(series=series), str(start + 4 * step))
    p, q = draw.people(2)
    forms, answer = ((GAIN, a + b), (LOSS, a - b))[draw.between(0, 1)]
    x = draw.any(
        ("apples", "books", "coins", "eggs", "pears", "cards", "stones", "cups", "fish", "stamps", "tickets", "shells")
    )
    return single(draw.phrase(forms).format(a=a, b=b, p=p.split()[0], q=q.split()[0], x=x), str(answer))
