"""Metrics: pure functions of one reply and its reference, found by name.

To add one: write the function in a file here, decorate it with `metric`, and name it in `METRICS`. The conformance
suite in `tests/evaluation/test_metrics.py` tests it from then on.
"""

from __future__ import annotations

from luthier.evaluation.metrics.metric import Metric
from luthier.registry import Registry

_HERE = "luthier.evaluation.metrics"

METRICS = Registry(
    "luthier.metrics",
    {
        "exact_match": f"{_HERE}.text:exact_match",
        "exact_match_strict": f"{_HERE}.text:exact_match_strict",
        "token_f1": f"{_HERE}.text:token_f1",
        "label_accuracy": f"{_HERE}.text:label_accuracy",
        "number_match": f"{_HERE}.numbers:number_match",
        "json_valid": f"{_HERE}.json_fields:json_valid",
        "json_match": f"{_HERE}.json_fields:json_match",
        "json_fields": f"{_HERE}.json_fields:json_fields",
        "tool_call_match": f"{_HERE}.tool_calls:tool_call_match",
        "tool_name_match": f"{_HERE}.tool_calls:tool_name_match",
    },
)


def load_metric(name: str) -> Metric:
    """Returns the metric called `name`; `SpecError` names the nearest one when there is none."""
    found: Metric = METRICS.load(name)
    return found
