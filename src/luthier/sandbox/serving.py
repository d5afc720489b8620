"""The child's side: reads calls as JSON lines, runs them under limits of its own, answers with JSON lines.

Nothing that a call prints reaches the parent. The limits hold without the parent: a child whose parent was killed ends
by itself, while it waits (its input has ended) and while it works (an alarm, a limit on CPU time).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from typing import Any

from luthier.errors import LuthierError
from luthier.registry import load_target

LATER_S = 2
"""How much later than the parent the child itself acts on a call that takes too long."""


def serve() -> None:
    """Answers calls until its input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin.buffer:
        call = json.loads(line)
        limit_time(call["timeout_s"])
        answer = answered(call)
        signal.alarm(0)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def limit_memory(size_bytes: int) -> None:
    """Lets this process have no more than so much memory, and leave no core file behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if sys.platform == "linux" and (hard == resource.RLIM_INFINITY or hard > size_bytes):
        resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))


def limit_time(timeout_s: float) -> None:
    """Ends this process by a signal when it works for longer, or uses more CPU time."""
    used = int(time.process_time())
    resource.setrlimit(
        resource.RLIMIT_CPU, (used + int(timeout_s) + LATER_S, resource.getrlimit(resource.RLIMIT_CPU)[1])
    )
    signal.alarm(int(timeout_s) + LATER_S)


def answered(call: dict[str, Any]) -> dict[str, Any]:
    """Returns {"value": what the function returns}, or {"error": ...} with why it does not."""
    try:
        return {"value": load_target(call["target"])(**call["arguments"])}
    except MemoryError:
        return {"error": {"reason": "memory", "problem": ""}}
    except LuthierError as error:
        told = {"problem": error.problem, "where": error.where, "remedy": error.remedy}
        return {"error": {"reason": "refused", **told}}
    except RecursionError:
        return {"error": {"reason": "fault", "problem": "is nested too deeply"}}
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        return {"error": {"reason": "fault", "problem": f"{type(error).__name__}: {said}".rstrip(": ")}}


if __name__ == "__main__":
    limit_memory(int(sys.argv[1]))
    serve()
