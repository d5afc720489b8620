"""Files read at once, each reader in a child process of its own; what is found inside a file is read after it."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from luthier.errors import Interrupted
from luthier.sandbox.child import Child, ChildError, Limits
from luthier.sources.archives import MOST_BYTES, MOST_MEMBERS
from luthier.sources.reading import Place

TARGET = "luthier.sources.reading:read_file"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one place: the answer of `read_file`, or why there is none. `again` where another try may help
    though neither file nor options change."""

    place: Place
    answer: Mapping[str, Any] | None = None
    problem: str = ""
    again: bool = False


class Pool:
    """`processes` children that read places. `wanted` tells of a member whether it is to be read."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        processes: int = 0,
        timeout_s: float = 120.0,
        memory_bytes: int = 2 * 2**30,
        max_file_bytes: int = 500 * 2**20,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.processes = processes or min(8, max(1, (os.cpu_count() or 2) - 1))
        self._options, self._timeout_s, self._stop = options, timeout_s, stop
        self._limits, self._max_file_bytes = Limits(memory_bytes=memory_bytes), max_file_bytes
        self._lock = threading.Condition()
        self._waiting: deque[Place] = deque()
        self._unfinished = 0
        self._ended = False
        self._done: queue.Queue[Outcome | BaseException] = queue.Queue()
        self._inside: dict[str, list[int]] = {}
        self._threads: list[threading.Thread] = []

    def read(self, places: Iterable[Place], wanted: Callable[[Place], bool] = lambda place: True) -> Iterator[Outcome]:
        """Yields what came of each place and of the members found in it, as they are done. `Interrupted` on `stop`."""
        self._wanted = wanted
        self._add(list(places))
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.processes)]
        for thread in self._threads:
            thread.start()
        try:
            while self._unfinished:
                outcome = self._done.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
                with self._lock:
                    self._unfinished -= 1
        finally:
            with self._lock:
                self._ended = True
                self._waiting.clear()
                self._lock.notify_all()
            for thread in self._threads:
                thread.join()

    def _add(self, places: list[Place]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(places))  # what is inside a file comes before the next file
            self._unfinished += len(places)
            self._lock.notify_all()

    def _work(self) -> None:
        with Child(self._limits) as child:
            while True:
                with self._lock:
                    self._lock.wait_for(lambda: self._waiting or self._ended)
                    if self._ended:
                        return
                    place = self._waiting.popleft()
                try:
                    self._done.put(self._read(child, place))
                except BaseException as error:  # the reader of the outcomes raises it
                    self._done.put(error)
                    return

    def _read(self, child: Child, place: Place) -> Outcome:
        if self._stop() or self._ended:
            raise Interrupted("what was read so far is kept", remedy="give the same command to go on")
        if not place.members:
            try:
                size = os.stat(place.path).st_size
            except OSError as error:
                return Outcome(place, problem=f"cannot be opened: {error.strerror}", again=True)
            if size > self._max_file_bytes:
                most = f"{self._max_file_bytes / 2**20:,.0f}"
                return Outcome(place, problem=f"has {size / 2**20:,.0f} MB, more than {most}; raise --max-file-mb")
        arguments: dict[str, Any] = {"path": place.path, "source": place.source, "media_type": place.media_type}
        arguments |= {"members": list(place.members), "options": dict(self._options)}
        try:
            answer = child.call(TARGET, arguments, timeout_s=self._timeout_s, stop=lambda: self._stop() or self._ended)
        except ChildError as error:
            remedy = "raise --timeout-s" if error.reason == "time" else error.remedy
            remedy = "raise --memory-mb" if error.reason == "memory" else remedy
            problem = f"{error.problem}; {remedy}" if remedy else error.problem
            # What a password may open is tried again: the password is not among what is kept of the options.
            again = "not installed" in problem or "is encrypted" in problem
            return Outcome(place, problem=problem, again=again)
        except Interrupted:
            raise Interrupted("what was read so far is kept", remedy="give the same command to go on") from None
        return self._open(place, answer)

    def _open(self, place: Place, answer: dict[str, Any]) -> Outcome:
        """Queues what is inside a file, and counts it: archives in archives may not add up to a bomb."""
        if place.members or answer["members"]:
            with self._lock:
                count = self._inside.setdefault(place.path, [0, 0])
                count[0] += len(answer["members"])
                count[1] += answer["size"] if place.members else 0
                too_many = count[0] > MOST_MEMBERS or count[1] > MOST_BYTES
            if too_many:
                return Outcome(place, problem="is part of an archive that unpacks to too much; unpack it by hand")
        members = [place.member(name) for name, why in answer["members"] if not why]
        self._add([member for member in members if self._wanted(member)])
        return Outcome(place, answer)
