"""Where things are moved from: an account of another server, or a folder of what was exported from one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from luthier.errors import LuthierError
from luthier.server.wire.moved import (
    MovedCheckpoint,
    MovedCompletion,
    MovedEval,
    MovedEvent,
    MovedFile,
    MovedJob,
    MovedRun,
    Unread,
)

AGAIN = "what came is kept: import again to go on"


class Withheld(LuthierError):
    """One thing, or one kind of things, that the source does not hand out; the others may well come."""


class CutOff(Withheld):
    """A content that ended too early; it may come whole when it is asked for again."""


class Source(Protocol):
    """Lists what there is, oldest first; what is inside of each thing is fetched when it is asked for.

    Every method may raise `Withheld`.
    """

    name: str
    """What people know it by: a URL, or a folder."""

    def files(self) -> Iterator[MovedFile | Unread]: ...

    def content(self, file: MovedFile) -> Iterator[bytes]:
        """Yields the pieces of a file. `CutOff` in their midst when the rest does not come."""

    def jobs(self) -> Iterator[MovedJob | Unread]: ...

    def events(self, job: MovedJob) -> Sequence[MovedEvent]:
        """Returns what a job said, oldest first."""

    def checkpoints(self, job: MovedJob) -> Sequence[MovedCheckpoint]:
        """Returns the checkpoints of a job, oldest first."""

    def completions(self) -> Iterator[MovedCompletion | Unread]: ...

    def messages(self, completion: MovedCompletion) -> Sequence[dict[str, Any]]:
        """Returns the messages that a completion answers."""

    def evals(self) -> Iterator[MovedEval | Unread]: ...

    def runs(self, eval: MovedEval) -> Iterator[MovedRun | Unread]: ...

    def output_items(self, eval: MovedEval, run: MovedRun) -> Iterator[dict[str, Any]]: ...
