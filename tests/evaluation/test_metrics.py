"""One suite that every metric passes, and what each one says of real answers."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luthier.errors import SpecError
from luthier.evaluation.metrics import METRICS, load_metric
from luthier.evaluation.metrics.choose import choose_metric
from luthier.evaluation.metrics.likelihood import bits_per_byte, mean_loss, perplexity
from luthier.evaluation.metrics.metric import Answer
from luthier.records.messages import ToolCall

ALL = METRICS.names()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
TEXTS = (
    st.text(max_size=40)
    | st.sampled_from(
        ["", " ", "A", "the", "?!", "naïve café", "日本語 text", "\ud800", "[" * 5000, "1" * 5000, "1e999", "{}"]
    )
    | VALUES.map(json.dumps)
)
CALLS = st.lists(
    st.builds(ToolCall, st.text(max_size=3), st.sampled_from(["get", "set"]), TEXTS | st.just('{"a": 1}')), max_size=3
)
ANYTHING = st.builds(Answer, TEXTS, CALLS.map(tuple))
IN_DOMAIN = {
    "text": ANYTHING,
    "number": ANYTHING,
    "json": VALUES.map(lambda value: Answer(json.dumps(value))),
    "tool_calls": ANYTHING,
}


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(reply=ANYTHING, reference=ANYTHING)
def test_values_stay_in_bounds_and_symmetry_holds(name, reply, reference):
    metric = load_metric(name)
    value = metric(reply, reference)
    assert isinstance(value, float)
    assert metric.low <= value <= metric.high
    if metric.binary:
        assert value in (metric.low, metric.high)
    if metric.symmetric:
        assert value == metric(reference, reply)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_reference_answered_with_itself_is_best(name, data):
    metric = load_metric(name)
    reference = data.draw(IN_DOMAIN[metric.domain])
    assert metric(reference, reference) == metric.best


@pytest.mark.parametrize("name", ALL)
def test_each_metric_says_what_it_is_and_can_fail(name):
    metric = load_metric(name)
    assert metric.name == name
    assert metric.summary.endswith(".")
    assert {metric.best, metric.worst} == {metric.low, metric.high}
    reference = Answer('{"a": 7}', (ToolCall("", "get", "{}"),))
    assert metric(Answer("nothing like it"), reference) == metric.worst


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'token_f1'"):
        load_metric("tokenf1")


def value(name, reply, reference):
    return load_metric(name)(Answer(reply), Answer(reference))


@pytest.mark.parametrize(
    ("name", "reply", "reference", "expected"),
    [
        ("exact_match", "The  Eiffel Tower!", "eiffel tower", 1),
        ("exact_match", "«Tour Eiffel»", "tour eiffel", 1),
        ("exact_match", "the", "A", 0),  # both are articles: SQuAD's normalising would leave nothing of either
        ("exact_match", "", "?", 0),
        ("exact_match_strict", " yes\n", "yes", 1),
        ("exact_match_strict", "Yes", "yes", 0),
        ("token_f1", "the cat sat", "cat sat down", 2 * 2 / 5),
        ("token_f1", "x x y", "x y y", 4 / 6),
        ("token_f1", "東京都", "東京", 2 * 2 / 5),
        ("token_f1", "", "word", 0),
        ("label_accuracy", "\nPositive.\nBecause it praises the bow", "positive", 1),
        ("label_accuracy", "not positive", "positive", 0),
        ("number_match", "so 3 + 4 = 7 in all, at $1,250.50 each", "#### 1250.5", 1),
        ("number_match", "1,2,3", "3", 1),
        ("number_match", "about \u22125", "-5", 1),
        ("number_match", "minus 5", "-5", 0),
        ("number_match", ".5", "0.50", 1),
        ("number_match", "version b2", "2", 0),
        ("number_match", "42.", "42", 1),
        ("number_match", "1e3", "1000", 1),
        ("number_match", "Unknown", "unknown.", 1),
        ("json_valid", '{"a": 1}', "", 1),
        ("json_valid", '```json\n{"a": 1}\n```', "", 0),
        ("json_valid", '{"a": NaN}', "", 0),
        ("json_match", '{"b": 2, "a": 1.0}', '{"a": 1, "b": 2}', 1),
        ("json_match", '{"a": true}', '{"a": 1}', 0),
        ("json_fields", '{"a": 1, "b": 3}', '{"a": 1, "b": 2}', 1 / 2),
        ("json_fields", '{"a": 1}', '{"a": 1, "b": 2, "c": [3, {}]}', 1 / 4),
        ("json_fields", '{"a": 1, "extra": 0}', '{"a": 1}', 1 / 2),
        ("json_fields", "not json", '{"a": 1}', 0),
        ("json_fields", '{"a": null}', "{}", 0),
    ],
)
def test_what_a_metric_says(name, reply, reference, expected):
    assert value(name, reply, reference) == pytest.approx(expected)


def calls(*pairs):
    return Answer("", tuple(ToolCall(str(i), name, arguments) for i, (name, arguments) in enumerate(pairs)))


def test_tool_calls_are_compared_without_order_and_spelling():
    wanted = calls(("get", '{"city": "Cremona", "days": 2}'), ("get", '{"city": "Brescia"}'))
    match, names = load_metric("tool_call_match"), load_metric("tool_name_match")
    assert match(calls(("get", '{"city":"Brescia"}'), ("get", '{"days":2.0,"city":"Cremona"}')), wanted) == 1
    assert match(calls(("get", '{"city":"Brescia"}')), wanted) == 1 / 2
    assert match(calls(("get", '{"city":"Brescia"}'), ("set", '{"city":"Cremona", "days": 2}')), wanted) == 1 / 2
    assert names(calls(("get", "{}"), ("get", "{}")), wanted) == 1
    assert match(calls(("get", "{}")), Answer("")) == 0
    assert match(Answer("hello"), Answer("other")) == 1


@pytest.mark.parametrize(
    ("references", "chosen"),
    [
        ([calls(("get", "{}")), calls(("get", "{}")), Answer("done")], "tool_call_match"),
        ([Answer('{"a": 1}'), Answer("{}")], "json_fields"),
        ([Answer('{"a": 1}'), Answer("[1]")], "exact_match"),
        ([Answer("12"), Answer("$1,000"), Answer("3 + 4 is 7\n#### 7")], "number_match"),
        ([Answer("12"), Answer("twelve apples")], "exact_match"),
        ([Answer("positive"), Answer("negative"), Answer("a longer one that nobody expected here")], "exact_match"),
        ([Answer("The bridge holds the strings up.")] * 3, "token_f1"),
        ([], "token_f1"),
    ],
)
def test_the_metric_is_chosen_by_the_references(references, chosen):
    assert choose_metric(references) == chosen


def test_likelihood_figures():
    assert mean_loss([math.log(0.5), math.log(0.125)]) == pytest.approx(2 * math.log(2))
    assert math.isnan(mean_loss([]))
    assert perplexity(2 * math.log(2)) == pytest.approx(4)
    assert perplexity(1e6) == math.inf
    assert bits_per_byte([math.log(0.5)] * 6, "añ") == pytest.approx(2)
    assert math.isnan(bits_per_byte([], ""))
