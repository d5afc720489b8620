"""What a metric is: a function of one reply and one reference, with its bounds and its direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from luthier.records.messages import ToolCall

Domain = Literal["text", "json", "number", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of a reply or a reference that metrics read."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()


Function = Callable[[Answer, Answer], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named function `(reply, reference) -> float` between `low` and `high`.

    A reply equal to its reference scores the best value wherever the reference lies in the metric's `domain`.
    `binary`: only `low` and `high` occur, so right-or-wrong tests apply. `symmetric`: the two may change places.
    """

    name: str
    function: Function
    summary: str
    domain: Domain = "text"
    binary: bool = False
    symmetric: bool = False
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True

    def __call__(self, reply: Answer, reference: Answer) -> float:
        return self.function(reply, reference)

    @property
    def best(self) -> float:
        return self.high if self.higher_is_better else self.low

    @property
    def worst(self) -> float:
        """The value of a reply that failed: a failure is never dropped."""
        return self.low if self.higher_is_better else self.high


def metric(
    *,
    domain: Domain = "text",
    binary: bool = False,
    symmetric: bool = False,
    low: float = 0.0,
    high: float = 1.0,
    higher_is_better: bool = True,
) -> Callable[[Function], Metric]:
    """Returns a decorator that makes a `Metric` of a function; its docstring's first line is the summary."""

    def make(function: Function) -> Metric:
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        return Metric(
            name=function.__name__,
            function=function,
            summary=summary,
            domain=domain,
            binary=binary,
            symmetric=symmetric,
            low=low,
            high=high,
            higher_is_better=higher_is_better,
        )

    return make
