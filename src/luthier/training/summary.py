"""What a finished run leaves for people: the report page and the model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from luthier.config import dump
from luthier.models.card import CardFacts, card
from luthier.report import MarkedText
from luthier.reports.charts import Bar, Bars, Histogram, LineChart, Series
from luthier.reports.excerpts import Answer, SideBySide, TokenView
from luthier.reports.excerpts import Comparison as Shown
from luthier.reports.page import Page, Prose, Raw, Section, render
from luthier.tokens.pieces import token_pieces, without_middles
from luthier.tokens.token_rows import TokenRow
from luthier.training.loop import Outcome
from luthier.training.plan import duration, size
from luthier.training.results import Comparison
from luthier.training.setup import Planned
from luthier.training.track import read_metrics

TOKEN_ROWS = 3


def write_report(
    file: Path, planned: Planned, outcome: Outcome, comparison: Comparison | None, run: Mapping[str, Any]
) -> None:
    """Writes the run's report: one page that needs no other file."""
    plan = planned.plan
    page = Page(
        title=f"Tuning {plan.model} on {', '.join(Path(name).name for name in planned.rows.files)}",
        subtitle=f"{plan.method}, {plan.train}; {plan.trainable_parameters:,} of {plan.total_parameters:,} "
        "parameters trained",
        facts=_facts(planned, outcome, run),
        sections=[section for section in _sections(file, planned, comparison, run) if section is not None],
    )
    file.write_text(render(page), encoding="utf-8")


def model_card(
    planned: Planned, outcome: Outcome, comparison: Comparison | None, run: Mapping[str, Any], *, name: str
) -> str:
    """Returns the README.md of the tuned model."""
    plan, spec = planned.plan, planned.spec
    return card(
        CardFacts(
            name=name,
            base_model="" if spec.from_scratch else planned.opened.found.base,
            train=plan.train,
            method=plan.method,
            form="weights" if planned.master_weights else "adapter",
            trained_parameters=plan.trainable_parameters,
            total_parameters=plan.total_parameters,
            files=tuple(Path(file).name for file in planned.rows.files),
            fingerprint=planned.rows.fingerprint,
            rows=planned.rows.sizes,
            tokens=plan.tokens,
            labelled_tokens=plan.labelled,
            how={
                "optimizer steps": outcome.state.step,
                "rows per step": plan.batch_size,
                "learning rate": plan.learning_rate,
                "schedule": spec.lr_scheduler_type,
                "precision": plan.precision,
                "seed": spec.seed,
            },
            scores=() if comparison is None else comparison.card_scores(),
            versions={name: run["versions"][name] for name in ("luthier", "torch", "transformers")},
        )
    )


def _facts(planned: Planned, outcome: Outcome, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    state = outcome.state
    ended = f"{state.step:,} of {outcome.total_steps:,}" + (", stopped early" if outcome.stopped_early else "")
    return [
        ("rows", ", ".join(f"{count:,} {name}" for name, count in planned.rows.sizes.items())),
        ("steps", ended),
        ("tokens", f"{state.tokens:,}, {state.labelled:,} of them with loss"),
        ("time", f"{duration(state.seconds)} of training"),
        ("speed", f"{state.tokens / state.seconds:,.0f} tokens per second" if state.seconds else "-"),
        ("memory", f"about {size(planned.plan.memory_bytes)} planned, {size(run['peak_bytes'])} at most"),
        ("data", planned.rows.fingerprint[:16]),
    ]


def _sections(
    file: Path, planned: Planned, comparison: Comparison | None, run: Mapping[str, Any]
) -> list[Section | None]:
    metrics = read_metrics(file.parent / "metrics.jsonl")
    after: list[Section | None] = []
    if comparison is not None:
        after = [Prose("Verdict", comparison.sentence, kind="verdict"), *comparison.tables(), _bars(comparison)]
    return [
        *after,
        _loss_chart(metrics),
        _side_by_side(comparison),
        planned.plan.table(),
        _lengths(planned),
        TokenView(
            "What is trained",
            [_pieces(planned, row) for row in planned.rows.train.tokens[:TOKEN_ROWS]],
            note="The first rows of the training split, as the model reads them.",
        ),
        _line(metrics, "learning_rate", "Learning rate"),
        _line(metrics, "tokens_per_second", "Tokens per second"),
        Raw("Specification", dump(planned.spec)),
        Raw("Versions", json.dumps(run["versions"], indent=1)),
    ]


def _loss_chart(metrics: Sequence[Mapping[str, float]]) -> LineChart | None:
    lines = []
    for name, key in (("training", "loss"), ("validation", "eval_loss")):
        points = [(line["step"], line[key]) for line in metrics if key in line]
        if points:
            steps, losses = zip(*points, strict=True)
            lines.append(Series(name, steps, losses, smooth=key == "loss" and len(points) > 50))
    return LineChart("Loss per token", lines, y_label="nats") if lines else None


def _line(metrics: Sequence[Mapping[str, float]], key: str, title: str) -> LineChart | None:
    points = [(line["step"], line[key]) for line in metrics if key in line]
    if not points:
        return None
    steps, values = zip(*points, strict=True)
    return LineChart(title, [Series(title.lower(), steps, values)])


def _bars(comparison: Comparison) -> Bars | None:
    if comparison.scores is None:
        return None
    bars = [
        Bar(one.system, one.mean, one.interval.low, one.interval.high, group=one.metric.replace("_", " "))
        for one in comparison.scores.scores
    ]
    return Bars("Scores", bars, share=all(0 <= bar.value <= 1 for bar in bars))


def _side_by_side(comparison: Comparison | None) -> SideBySide | None:
    scores = None if comparison is None else comparison.scores
    if scores is None:
        return None
    rows = [
        Shown(
            f"row {one.item.index + 1}",
            one.item.prompt.shown(),
            one.item.answer().text,
            [
                Answer(
                    one.replies[system].text or one.replies[system].error,
                    {metric: one.values[metric][system] for metric in scores.metrics},
                )
                for system in scores.systems
            ],
        )
        for one in scores.items
    ]
    return SideBySide("Answers side by side", scores.systems, rows, score=scores.metrics[0])


def _lengths(planned: Planned) -> Histogram | None:
    bins = planned.rows.train.counts.lengths
    if not bins:
        return None
    edges = [bins[0][0] / 2, *(edge for edge, _ in bins)]
    return Histogram("Length of the training sequences", edges, [count for _, count in bins], x_label="tokens")


def _pieces(planned: Planned, row: TokenRow) -> MarkedText:
    return MarkedText(f"row {row.row + 1}", without_middles(token_pieces(planned.opened.tokenizer, row)))
