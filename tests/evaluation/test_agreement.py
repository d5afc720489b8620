from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from luthier.evaluation.agreement import Agreement, Here, Row, There, compared, shared_logprobs
from luthier.records.messages import ToolCall

NEAR = 0.05
HERE = Here(
    text="oak elm",
    calls=(),
    pieces=(b"oak", b" elm", None),
    logprobs=(-0.1, -0.70, -0.2),
    ranked=(
        ((b"oak", -0.1), (b"ash", -2.5), (None, -3.0)),
        ((b" elm", -0.70), (b" el", -0.72), (b" yew", -0.74), (None, -0.73)),
        ((None, -0.2), (b" fir", -0.3)),
    ),
    prompt_tokens=7,
)


def row(text: str, **changes: Any) -> Row:
    return compared("Name trees", replace(HERE, **changes), There(text, prompt_tokens=7), NEAR)


def test_the_same_text_is_equal() -> None:
    assert row("oak elm").kind == "equal"
    assert row("oak elm").place is None


@pytest.mark.parametrize(
    ("text", "kind", "place", "gap"),
    [
        ("oak yew fir", "near tie", 1, 0.04),
        ("oak el dorado", "near tie", 1, 0.02),
        ("oak", "near tie", 1, 0.03),
        ("ash", "different", 0, 2.4),
        ("", "different", 0, 2.9),
        ("gum", "different", 0, None),
        ("oak elm fir", "different", 2, 0.1),
        ("oak elm!", "different", 2, None),
    ],
)
def test_where_replies_part(text: str, kind: str, place: int, gap: float | None) -> None:
    found = row(text)
    assert (found.kind, found.place) == (kind, place)
    assert found.gap == (gap if gap is None else pytest.approx(gap))


def test_a_wider_tolerance_takes_more_for_a_tie() -> None:
    assert compared("x", HERE, There("oak elm fir"), 0.2).kind == "near tie"
    assert compared("x", HERE, There("oak yew"), 0.01).kind == "different"


def test_a_reply_that_was_cut_here_and_goes_on_there_differs() -> None:
    cut = replace(HERE, pieces=HERE.pieces[:2], logprobs=HERE.logprobs[:2], ranked=HERE.ranked[:2])
    found = compared("x", cut, There("oak elm fir"), NEAR)
    assert (found.kind, found.place, found.gap) == ("different", 2, None)


def test_a_space_before_the_first_word_is_no_difference() -> None:
    spaced = replace(HERE, pieces=(b" oak", b" elm", None))
    assert compared("x", spaced, There("oak yew"), NEAR).kind == "near tie"
    tied = replace(spaced, ranked=(((b" oak", -0.1), (b" ash", -0.12)), *HERE.ranked[1:]))
    assert compared("x", tied, There("ash"), NEAR).kind == "near tie"


def test_calls_are_compared_by_what_they_say() -> None:
    calls = (ToolCall("1", "name", '{"a": 1}'),)
    there = There(calls=(ToolCall("2", "name", '{"a":1}'),))
    silent = replace(HERE, text="", calls=calls)
    assert compared("x", silent, there, NEAR).kind == "equal"
    assert compared("x", silent, There(calls=(ToolCall("2", "name", '{"a":2}'),)), NEAR).kind == "different"
    assert compared("x", silent, There("name"), NEAR).kind == "different"
    assert compared("x", HERE, there, NEAR).kind == "different"


def test_log_probabilities_are_compared_up_to_the_parting() -> None:
    there = There("oak yew", pieces=(b"oak", b" yew"), logprobs=(-0.3, -0.9))
    assert shared_logprobs(HERE, there) == [pytest.approx(0.2)]
    assert shared_logprobs(HERE, There("oak elm")) == []


def agreement(*rows: Row, differences: tuple[float, ...] = (0.01, 0.03)) -> Agreement:
    return Agreement(rows, differences, "the answers", NEAR, 0.5)


def test_equal_answers_and_near_ties_are_the_same() -> None:
    found = agreement(row("oak elm"), row("oak yew"))
    assert (found.faults, found.verdict) == ([], "the same, within the tolerance")
    figures = dict(found.tables()[0].rows)
    assert figures["equal answers"] == "1 of 2"
    assert figures["part after a near tie"] == "1 (the two tokens within 0.05)"
    assert figures["mean difference"] == "2.00e-02 (limit 0.05)"
    assert figures["largest difference"] == "3.00e-02 (limit 0.5)"
    assert found.tables()[1].rows[0][1] == "near tie at token 2, 0.04 less likely"
    assert json.loads(json.dumps(found.to_json()))["answers"]["near_tie"] == 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (agreement(row("oak elm"), row("gum")), "different: 1 of 2 answers differ"),
        (agreement(compared("x", HERE, There(error="too long"), NEAR)), "different: 1 of 1 answers differ"),
        (agreement(row("oak elm"), differences=(0.1, 0.2)), "differ by 0.15 on average, more than 0.05"),
        (agreement(row("oak elm"), differences=(0.6, *[0.0] * 99)), "one log-probability differs by 0.6"),
        (agreement(row("oak elm"), differences=(float("nan"),)), "differ by nan on average"),
        (agreement(row("oak elm", prompt_tokens=9)), "1 prompts were read as another number of tokens"),
    ],
)
def test_each_thing_that_speaks_against_it_is_said(found: Agreement, said: str) -> None:
    assert said in found.verdict
    assert found.to_json()["equal"] is False


def test_a_server_without_log_probabilities_or_counts_is_judged_by_its_answers() -> None:
    found = agreement(compared("x", HERE, There("oak elm"), NEAR), differences=())
    assert found.faults == []
    assert "by the answers alone" in found.verdict
    figures = dict(found.tables()[0].rows)
    assert figures["log-probabilities"] == "the server says none"
    assert figures["prompts of other lengths"] == "the server does not count them"


def test_the_first_differences_are_shown_with_both_texts() -> None:
    long = "the same words at the beginning of both, "
    here = replace(HERE, text=f"{long}oak", pieces=(long.encode(), b"oak", None))
    rows = [compared(f"prompt {n}", here, There(f"{long}gum {n}"), NEAR) for n in range(7)]
    table = agreement(*rows).tables()[1]
    assert table.title == "Answers that part, 5 of 7"
    prompt, what, ours, theirs = table.rows[0]
    assert (prompt, what) == ("prompt 0", "differs at token 2")
    assert ours.endswith("of both, oak")
    assert theirs.endswith("of both, gum 0")
    assert ours.startswith("... ")
