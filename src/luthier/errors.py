"""One error family: each message says where, what is wrong with which value, and what to do next."""

from __future__ import annotations

import errno
from dataclasses import dataclass


class LuthierError(Exception):
    """Anything a user can put right. The command line prints it and exits 2, a server renders it, Python raises it."""

    def __init__(self, problem: str, *, where: str = "", remedy: str = "", param: str | None = None) -> None:
        self.problem, self.where, self.remedy, self.param = problem, where, remedy, param
        super().__init__(problem, where, remedy, param)

    def __str__(self) -> str:
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{head}; {self.remedy}" if self.remedy else head

    def __reduce__(self) -> tuple[object, ...]:
        """Keeps every part when the error crosses a process boundary: pickle would drop keyword arguments."""
        return Exception.__new__, (type(self), *self.args), self.__dict__


class SpecError(LuthierError):
    """A key or value of a spec, an option or a recipe is wrong."""


class ModelError(LuthierError):
    """A model, tokenizer, template or adapter cannot be used as asked."""


class Unshared(ModelError):
    """An adapter that cannot share its loaded base with others; it can be served as a model of its own."""


class ContextError(ModelError):
    """A prompt does not fit the model's context."""


class CapacityError(LuthierError):
    """The work does not fit the memory or the disk at hand."""


class DiskFullError(CapacityError):
    """There is no room left on a disk; the same is possible once there is."""


class BusyError(LuthierError):
    """Too much is under way; the same may well be possible in `later_s` seconds."""

    def __init__(
        self, problem: str, *, where: str = "", remedy: str = "", param: str | None = None, later_s: float = 2.0
    ) -> None:
        super().__init__(problem, where=where, remedy=remedy, param=param)
        self.later_s = later_s


class LimitError(BusyError):
    """A key has used up what it may: `what` is "requests" or "tokens" (of a minute), or "money" (of a month)."""

    def __init__(
        self,
        problem: str,
        *,
        where: str = "",
        remedy: str = "",
        param: str | None = None,
        later_s: float = 0.0,
        what: str = "requests",
    ) -> None:
        super().__init__(problem, where=where, remedy=remedy, param=param, later_s=later_s)
        self.what = what


class EngineError(LuthierError):
    """What answers is broken, and begins again by itself: nothing is wrong with the request."""


class CheckpointError(LuthierError):
    """A checkpoint is damaged, or belongs to another run."""


class TrainingError(LuthierError):
    """Training cannot go on (a loss that is not a number, for one); the last good checkpoint is kept."""


class StoreError(LuthierError):
    """The database or the blobs cannot be used: out of reach, damaged, or of another version."""


class AwayError(StoreError):
    """The database cannot be used now (it is away, locked or full); the same may well be possible in a moment."""


class NotFoundError(LuthierError):
    """There is nothing of that name, or it belongs to another project."""


class RemoteError(LuthierError):
    """Another server was asked, and refused or failed. `status` is what it answered with, 0 when it did not answer.

    `code` and `param` are its own; `later` is when it may be asked again (a Retry-After header).
    """

    def __init__(
        self,
        problem: str,
        *,
        status: int = 0,
        where: str = "",
        remedy: str = "",
        code: str | None = None,
        param: str | None = None,
        later: str | None = None,
    ) -> None:
        super().__init__(problem, where=where, remedy=remedy, param=param)
        self.status, self.code, self.later = status, code, later


class StateError(LuthierError):
    """What was asked cannot be done any more, or not yet: a job that has ended cannot be paused."""


class Interrupted(LuthierError):
    """The work was stopped on request; what was done so far is saved."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with one row: `line` counts from 1 (0 = the whole file)."""

    file: str
    line: int
    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f": {self.field}" if self.field else ""
        return f"{place}{field}: {self.problem}; {self.remedy}"


class RowsError(LuthierError):
    """Rows that cannot be used, all of them at once: the first 20 are shown, the rest counted."""

    shown = 20

    def __init__(self, problems: tuple[RowProblem, ...], *, where: str = "", remedy: str = "") -> None:
        self.problems = problems
        lines = [f"  {problem}" for problem in problems[: self.shown]]
        if len(problems) > self.shown:
            lines.append(f"  ... and {len(problems) - self.shown} more")
        noun = "problem" if len(problems) == 1 else "problems"
        super().__init__(f"{len(problems)} {noun} in the rows\n" + "\n".join(lines), where=where, remedy=remedy)

    def __str__(self) -> str:
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{head}\n{self.remedy}" if self.remedy else head


def disk_is_full(error: BaseException) -> bool:
    """Returns whether an error says that there is no room left on a disk."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"os error {errno.ENOSPC}" in str(error)  # of safetensors, whose errors have words alone
