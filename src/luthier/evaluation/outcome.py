"""What an evaluation leaves behind: a file of items, and the sections of a report."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from luthier.evaluation.metrics import load_metric
from luthier.evaluation.score import ScoredItem, Scores
from luthier.report import Table
from luthier.reports.charts import Bar, Bars
from luthier.reports.excerpts import Answer, Comparison, SideBySide
from luthier.reports.page import Prose

Section = Table | Bars | SideBySide | Prose
SHOWN = 200
"""Items in a report; all of them are in the file beside it."""


def write_items(path: Path, scores: Scores) -> None:
    """Writes one JSON line per item: prompt, reference, what each system said, and its values."""
    write_whole(path, "".join(json.dumps(item.to_json(), ensure_ascii=False) + "\n" for item in scores.items))


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is either the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def sections(scores: Scores, names: Mapping[str, str] | None = None) -> list[Section]:
    """Returns the verdict, a chart, the tables and the answers side by side; `names` are shorter names of systems."""
    short = dict(names or {})
    out: list[Section] = [Prose("Verdict", text, kind="verdict") for text in [conclusion(scores)] if text]
    bars = [
        Bar(short.get(one.system, one.system), one.mean, *_whiskers(one.interval.low, one.interval.high), one.metric)
        for one in sorted(scores.scores, key=lambda one: scores.metrics.index(one.metric))
    ]
    share = all((load_metric(name).low, load_metric(name).high) == (0, 1) for name in scores.metrics)
    out.append(Bars("Scores", bars, share=share))
    out += scores.tables()
    rows = [_comparison(item, scores.systems) for item in _shown(scores.items)]
    note = (
        f"{len(rows)} of {len(scores.items)} rows; all are in the file of items."
        if len(rows) < len(scores.items)
        else ""
    )
    systems = [short.get(system, system) for system in scores.systems]
    out.append(SideBySide("Answers side by side", systems, rows, score=scores.metrics[0], note=note))
    return out


def conclusion(scores: Scores) -> str:
    """Returns what the deciding metric says of each system against the first, in words; empty for one system."""
    lines = []
    for one in scores.comparisons:
        if one.metric != scores.metrics[0]:
            continue
        span = f"{one.difference:+.3f} [{one.interval.low:+.3f}, {one.interval.high:+.3f}]"
        said = {
            "better": f"{one.system} is better than {one.baseline}",
            "worse": f"{one.system} is worse than {one.baseline}",
            "cannot tell": f"{len(scores.items)} rows cannot tell {one.system} from {one.baseline}",
        }[one.verdict]
        lines.append(f"{said}: {one.metric} {span}, p = {one.p_value:.2g}.")
    return "\n".join(lines)


def _shown(items: Sequence[ScoredItem]) -> list[ScoredItem]:
    step = max(1, math.ceil(len(items) / SHOWN))
    return list(items[::step])


def _comparison(item: ScoredItem, systems: Sequence[str]) -> Comparison:
    reference = item.item.answer()
    return Comparison(
        label=f"row {item.item.index + 1}",
        prompt=item.item.prompt.shown(),
        reference=_said(reference.text, reference.tool_calls),
        answers=[
            Answer(
                _said(item.replies[system].text, item.replies[system].tool_calls, item.replies[system].error),
                {metric: values[system] for metric, values in item.values.items()},
            )
            for system in systems
        ],
    )


def _said(text: str, calls: Sequence[Any], error: str = "") -> str:
    parts = [text, *(f"{call.name}({call.arguments})" for call in calls), f"failed: {error}" if error else ""]
    return "\n".join(part for part in parts if part)


def _whiskers(low: float, high: float) -> tuple[float | None, float | None]:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)
