from __future__ import annotations

import re

from luthier.report import MarkedText
from luthier.reports.excerpts import (
    Answer,
    Comparison,
    SideBySide,
    TokenView,
    draw_answers,
    draw_tokens,
)


def test_trained_tokens_are_marked_and_line_ends_shown() -> None:
    drawn = draw_tokens(
        TokenView(
            "tokens",
            [
                MarkedText(
                    "row 1",
                    (
                        ("hi\n", False),
                        ("there", True),
                        ("<|end|>", True),
                    ),
                )
            ],
        )
    )
    assert "<summary>row 1</summary>" in drawn
    assert '<span>hi<i class="eol" aria-hidden="true">↵</i>\n</span><span class="on">there</span>' in drawn
    assert '<span class="on">&lt;|end|&gt;</span>' in drawn


def test_only_the_first_rows_are_open() -> None:
    drawn = draw_tokens(TokenView("tokens", [MarkedText(str(i), (("a", True),)) for i in range(5)]))
    assert drawn.count('<details class="row" open>') == 3
    assert drawn.count('<details class="row">') == 2


def comparison(first: float, last: float, text: str = "b") -> Comparison:
    return Comparison("row", "prompt", "reference", (Answer("a", {"F1": first}), Answer(text, {"F1": last})))


def test_answers_carry_what_they_are_sorted_by() -> None:
    drawn = draw_answers(SideBySide("answers", ("base", "tuned"), [comparison(0.25, 1.0), comparison(0.5, 0.5)]))
    assert re.findall(r'data-score="([^"]*)" data-change="([^"]*)"', drawn) == [("1", "0.75"), ("0.5", "0")]
    assert "0.25 → 1 ▲" in drawn
    assert 'aria-label="F1: base 0.5, tuned 0.5"' in drawn
    assert {"worst", "best", "changed"} <= set(re.findall(r'data-order="(\w+)"', drawn))


def test_answers_without_scores_differ_by_their_text() -> None:
    rows = [
        Comparison("1", "p", "r", (Answer("same"), Answer("same"))),
        Comparison("2", "p", "r", (Answer("a"), Answer(" "))),
    ]
    drawn = draw_answers(SideBySide("answers", ("base", "tuned"), rows))
    assert re.findall(r'data-change="([^"]*)"', drawn) == ["0", "1"]
    assert "data-score" not in drawn
    assert set(re.findall(r'data-order="(\w+)"', drawn)) == {"all", "changed"}
    assert "(empty)" in drawn


def test_one_system_alone_has_nothing_to_compare() -> None:
    drawn = draw_answers(SideBySide("answers", ("tuned",), [Comparison("1", "p", "r", (Answer("x", {"F1": 1.0}),))]))
    assert set(re.findall(r'data-order="(\w+)"', drawn)) == {"all", "worst", "best"}
    assert "▲" not in drawn
