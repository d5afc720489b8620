"""A child process that runs functions of ours for strangers' files: limited, watched, replaced after a while.

Both ways only JSON passes: whatever takes over the child gets no code into the parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import psutil

from luthier.errors import Interrupted, LuthierError

Reason = Literal["time", "memory", "crash", "refused", "fault", "size"]
LOOK_S = 0.2
READ_BYTES = 1 << 20
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
"""What the child sees of the environment: no key of anybody's."""
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""On machines of many cores the stacks of numpy's threads alone would fill the address space that it may have."""


class ChildError(LuthierError):
    """A call did not come to its end. `reason` is "time", "memory", "crash" or "size" (the answer is too large), of
    which only "size" leaves the child; "refused" is an error of ours in it, "fault" any other exception."""

    def __init__(self, problem: str, *, reason: Reason = "fault", where: str = "", remedy: str = "") -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use. After `calls` calls, or once it holds `recycle_bytes` more than at its start, a new one
    takes its place."""

    memory_bytes: int = 2 * 2**30
    answer_bytes: int = 512 * 2**20
    calls: int = 200
    recycle_bytes: int = 500 * 2**20


class Child:
    """Runs calls one after another in a child process, which is started when it is needed."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.started = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._calls = self._first_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self, target: str, arguments: dict[str, Any], *, timeout_s: float, stop: Callable[[], bool] = lambda: False
    ) -> Any:
        """Returns what "package.module:function" returns for `arguments`. `ChildError` says why it does not;
        `Interrupted` when `stop()` becomes true meanwhile."""
        process = self._ready()
        assert process.stdin is not None
        request = json.dumps({"target": target, "arguments": arguments, "timeout_s": timeout_s})
        try:
            process.stdin.write(request.encode() + b"\n")
            process.stdin.flush()
            line = self._answer(process, timeout_s, stop)
        except BrokenPipeError:
            raise self._died(process) from None
        except BaseException:
            self.close()
            raise
        self._calls += 1
        self._recycle(process)
        return _value(line)

    def close(self) -> None:
        """Ends the process at once, with all that it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it ended between two calls
        if self._process is None:
            kept = {name: os.environ[name] for name in KEPT if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "luthier.sandbox.serving", str(self.limits.memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept | _THREADS | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,
            )
            self.started += 1
            self._calls = self._first_bytes = 0
        return self._process

    def _answer(self, process: subprocess.Popen[bytes], timeout_s: float, stop: Callable[[], bool]) -> bytes:
        assert process.stdout is not None
        deadline, pieces, size = time.monotonic() + timeout_s, list[bytes](), 0
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            while True:
                if waiting.select(min(LOOK_S, max(deadline - time.monotonic(), 0))):
                    piece = os.read(process.stdout.fileno(), READ_BYTES)
                    if not piece:
                        raise self._died(process)
                    pieces.append(piece)
                    size += len(piece)
                    if size > self.limits.answer_bytes:
                        raise ChildError(f"gives more than {self.limits.answer_bytes:,} bytes", reason="size")
                    if piece.endswith(b"\n"):
                        return b"".join(pieces)
                if time.monotonic() >= deadline:
                    raise ChildError(f"took longer than {timeout_s:g} s", reason="time")
                if _held_bytes(process.pid) > self.limits.memory_bytes:
                    raise _too_much(self.limits.memory_bytes)
                if stop():
                    raise Interrupted("stopped")

    def _died(self, process: subprocess.Popen[bytes]) -> ChildError:
        code = process.wait()
        self.close()
        if code == -signal.SIGKILL:
            return _too_much(self.limits.memory_bytes)  # of the kernel, for want of memory: nobody else kills it
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ChildError(f"its reader crashed ({name})", reason="crash")

    def _recycle(self, process: subprocess.Popen[bytes]) -> None:
        held = _held_bytes(process.pid)
        self._first_bytes = self._first_bytes or held
        if self._calls >= self.limits.calls or held - self._first_bytes > self.limits.recycle_bytes:
            self.close()


def _value(line: bytes) -> Any:
    answer = json.loads(line)
    if "error" not in answer:
        return answer["value"]
    error = answer["error"]
    if error["reason"] == "memory":
        raise ChildError("needs more memory than it may have", reason="memory")
    raise ChildError(
        error["problem"], reason=error["reason"], where=error.get("where", ""), remedy=error.get("remedy", "")
    )


def _too_much(size_bytes: int) -> ChildError:
    return ChildError(f"needs more than {size_bytes / 2**20:,.0f} MB of memory", reason="memory")


def _held_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
