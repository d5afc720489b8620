"""What the embedded model can do: `python -m recipes.fiddle.measure [MODEL]` asks it the held-out sets, prints a table.

A reply counts when it is the reference exactly, spaces around it aside; JSON and tool calls count by their values.
Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from luthier.evaluation.items import Answered
from luthier.evaluation.metrics.metric import Answer
from luthier.evaluation.metrics.tool_calls import tool_call_match
from luthier.evaluation.score import ScoredItem
from luthier.evaluation.statistics import wilson
from luthier.report import ListReport, Table
from luthier.workflows import evaluate
from recipes.fiddle import heldout


def correct(item: ScoredItem, reply: Answered) -> bool:
    """Returns whether a reply is the reference."""
    reference = item.item.answer()
    if reference.tool_calls:
        return tool_call_match(Answer(reply.text, reply.tool_calls), reference) == 1.0
    if reference.text.startswith(("{", "[")):
        try:
            return bool(json.loads(reply.text) == json.loads(reference.text))
        except ValueError:
            return False
    return reply.text.strip() == reference.text.strip()


def measure(model: str, output: Path, sets: Sequence[str] = tuple(heldout.SETS)) -> dict[str, tuple[int, int]]:
    """Returns (right, asked) of each set."""
    files = tuple(str(heldout.FOLDER / f"{name}.jsonl") for name in sets)
    spec = evaluate.Spec(systems=(model,), data=files, temperature=0.0, max_tokens=120, output=str(output))
    counts = dict.fromkeys(sets, (0, 0))
    for item in evaluate.run(spec, ListReport()).scores.items:
        name = Path(item.item.origin.rsplit(":", 1)[0]).stem
        right, asked = counts[name]
        counts[name] = right + correct(item, next(iter(item.replies.values()))), asked + 1
    return counts


def table(counts: dict[str, tuple[int, int]]) -> Table:
    """Returns the shares with their intervals, and the bounds."""
    lines = []
    for name, (right, asked) in counts.items():
        low, high = wilson(right, asked).low, wilson(right, asked).high
        bound = heldout.BOUNDS.get(name)
        verdict = "" if bound is None else f"at least {bound:.0%}: {'holds' if right / asked >= bound else 'missed'}"
        lines.append((name, f"{right} of {asked}", f"{right / asked:.3f} [{low:.3f}, {high:.3f}]", verdict))
    return Table("Held-out sets", ("set", "right", "exact match", "bound"), tuple(lines))


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.measure")
    parser.add_argument("model", nargs="?", default="fiddle")
    parser.add_argument("--output", type=Path, required=True, help="folder for the replies")
    parser.add_argument("--sets", nargs="+", choices=sorted(heldout.SETS), default=list(heldout.SETS))
    given = parser.parse_args(arguments)
    shown = table(measure(given.model, given.output, given.sets))
    for row in (shown.columns, *shown.rows):
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, (16, 12, 24, 24), strict=True)).rstrip())


if __name__ == "__main__":
    main()
