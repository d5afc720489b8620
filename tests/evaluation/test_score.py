from __future__ import annotations

import json

import pytest

from luthier.errors import SpecError
from luthier.evaluation.items import Answered, items_of
from luthier.evaluation.outcome import conclusion, sections, write_items
from luthier.evaluation.score import choose_metrics, score
from luthier.evaluation.statistics import mcnemar
from luthier.records.examples import Conversation
from luthier.records.messages import Message


def items(references, groups=None):
    groups = groups or [""] * len(references)
    turns = [(Message("user", f"question {i}"), Message("assistant", text)) for i, text in enumerate(references)]
    return items_of([Conversation(pair, group=group) for pair, group in zip(turns, groups, strict=True)])[0]


def said(*texts, **fields):
    return [Answered(text, tokens=len(text), **fields) for text in texts]


WANTED = [f"answer{i}" for i in range(40)]


def better_than_base(groups=None):
    base = said(*[text if i % 4 == 0 else "no" for i, text in enumerate(WANTED)])
    tuned = said(*[text if i % 10 else "no" for i, text in enumerate(WANTED)])
    return score(items(WANTED, groups), {"base": base, "tuned": tuned}, resamples=400)


def test_means_intervals_and_the_paired_verdict():
    scores = better_than_base()
    assert scores.metrics == ("exact_match",)
    assert (scores.score("base").mean, scores.score("tuned").mean) == (0.25, 0.9)
    for one in scores.scores:
        assert one.interval.low < one.mean < one.interval.high
    (pair,) = scores.comparisons
    assert pair.difference == pytest.approx(0.65)
    assert (pair.better, pair.worse, pair.verdict) == (28, 2, "better")
    assert pair.p_value == pytest.approx(mcnemar(2, 28))
    assert scores.best == "tuned"


def test_swapped_systems_give_the_mirrored_verdict():
    base, tuned = said(*WANTED), said(*["no"] * 40)
    scores = score(items(WANTED), {"base": base, "tuned": tuned}, resamples=400)
    assert scores.comparisons[0].verdict == "worse"
    assert "tuned is worse than base" in conclusion(scores)


def test_few_items_of_one_source_cannot_tell():
    scores = better_than_base(groups=["a"] * 20 + ["b"] * 20)
    assert scores.comparisons[0].verdict == "cannot tell"
    assert scores.independent == 2
    assert scores.to_json()["smallest_detectable_difference"] is None
    assert "too few rows that vary on their own to show any difference: 2, where 6" in scores.tables()[1].note
    assert "cannot tell" in conclusion(scores)


def test_failures_score_worst_and_are_counted():
    replies = [*said("answer0"), Answered(finish_reason="failed", error="too long"), *said("x", finish_reason="length")]
    scores = score(items(WANTED[:3]), {"base": replies}, metrics=["exact_match", "token_f1"], resamples=400)
    assert scores.score("base").mean == pytest.approx(1 / 3)
    (counted,) = scores.replies
    assert (counted.n, counted.failed, counted.cut, counted.errors) == (3, 1, 1, (("too long", 1),))
    assert counted.mean_tokens == 4
    assert not scores.comparisons
    assert conclusion(scores) == ""
    silent = score(items(WANTED[:3]), {"base": replies}, metrics=["tool_call_match"], resamples=400)
    assert silent.score("base").mean == pytest.approx(2 / 3)  # a failure is no right silence


def test_scores_without_spread_are_not_called_certain():
    never = score(items(WANTED), {"base": said(*["no"] * 40)}, metrics=["token_f1"], resamples=400).score("base")
    assert (never.mean, never.interval.low) == (0.0, 0.0)
    assert 0.05 < never.interval.high < 0.2
    grouped = score(items(WANTED, ["a", "b", "c", "d"] * 10), {"base": said(*["no"] * 40)}, metrics=["token_f1"])
    assert grouped.score("base").interval.high > 0.4


def test_p_values_are_adjusted_for_the_number_of_systems():
    answers = {"base": said(*["no"] * 40), "a": said(*WANTED[:8], *["no"] * 32), "b": said(*WANTED[:8], *["no"] * 32)}
    two = score(items(WANTED), answers, resamples=400)
    one = score(items(WANTED), {name: answers[name] for name in ("base", "a")}, resamples=400)
    assert two.comparisons[0].p_value == pytest.approx(2 * one.comparisons[0].p_value)


def test_metrics_are_the_named_ones_or_fit_the_references():
    assert choose_metrics(items(['{"a": 1}'])) == ("json_fields",)
    assert choose_metrics(items(["x"]), ["token_f1", "token_f1"]) == ("token_f1",)
    with pytest.raises(SpecError, match="token_f1"):
        choose_metrics(items(["x"]), ["token_f"])
    with pytest.raises(SpecError, match="no row"):
        score([], {"base": []})


def test_everything_is_plain_json_and_can_be_shown(tmp_path):
    scores = better_than_base()
    shown = json.dumps(scores.to_json(), allow_nan=False)
    assert json.loads(shown)["comparisons"][0]["verdict"] == "better"
    write_items(tmp_path / "items.jsonl", scores)
    lines = (tmp_path / "items.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert json.loads(lines[1])["values"]["exact_match"] == {"base": 0.0, "tuned": 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]
    table, pairs = scores.tables()
    assert table.rows[0][0] == "base"
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert all(len(row) == len(pairs.columns) for row in pairs.rows)


def test_the_report_shows_verdict_chart_tables_and_answers_safely():
    from luthier.reports.page import Page, render

    evil = "<script>alert(1)</script>"
    scores = score(items([evil] * 3), {"base": said(evil, "b", "c"), "tuned": said(evil, evil, evil)}, resamples=400)
    page = render(Page("Evaluation", sections=sections(scores)))
    assert evil not in page
    assert "Answers side by side" in page
    assert "rows cannot tell tuned from base" in page
    assert len(sections(better_than_base(), {"base": "B", "tuned": "T"})) == 5
