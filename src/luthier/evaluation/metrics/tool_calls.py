"""Metrics of replies that call tools."""

from __future__ import annotations

from collections import Counter

from luthier.evaluation.metrics.json_fields import INVALID, _leaves, parsed
from luthier.evaluation.metrics.metric import Answer, metric
from luthier.records.messages import ToolCall


@metric(domain="tool_calls", symmetric=True)
def tool_call_match(reply: Answer, reference: Answer) -> float:
    """Share of tool calls with the right name and the right arguments, of the larger number of calls.

    Calls are compared without their order and ids; arguments as JSON values (as the AST comparison of Patil et al.
    2023, "Gorilla"). Making no call where none is wanted is right. From 0 to 1.
    """
    return _shared([_call(call) for call in reply.tool_calls], [_call(call) for call in reference.tool_calls])


@metric(domain="tool_calls", symmetric=True)
def tool_name_match(reply: Answer, reference: Answer) -> float:
    """Share of tool calls with the right name, whatever their arguments, of the larger number of calls.

    From 0 to 1.
    """
    return _shared([call.name for call in reply.tool_calls], [call.name for call in reference.tool_calls])


def _shared(ours: list[object], theirs: list[object]) -> float:
    most = max(len(ours), len(theirs))
    return (Counter(ours) & Counter(theirs)).total() / most if most else 1.0


def _call(call: ToolCall) -> object:
    arguments = parsed(call.arguments)
    if arguments is INVALID:
        return (call.name, call.arguments.strip())
    return (call.name, frozenset(_leaves(arguments).items()))
