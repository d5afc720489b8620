"""Other servers behind this one: which model is meant, and what they were seen to do, found out beside the serving."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from luthier.errors import Interrupted, LuthierError
from luthier.report import Report, Table
from luthier.server.options import WorkerOptions

if TYPE_CHECKING:
    from luthier.generation.remote import Remote
    from luthier.server.answering import Answering
    from luthier.server.catalogue import Catalogue

OptionsT = TypeVar("OptionsT", bound=WorkerOptions)
PATIENCE_S, LOOK_S = 10.0, 0.1
"""How long the first requests wait for the probe; it goes on beside them when it takes longer."""
AGAIN_S, RARELY_S = 5.0, 300.0
"""Until a server that could not be probed is tried again: longer each time."""


def with_model(options: OptionsT) -> OptionsT:
    """Returns `options` with the one model of their upstream, where they name none.

    `SpecError` when it has several, `RemoteError` when it does not say.
    """
    if options.upstream is None or "model" in options.model_fields_set:
        return options
    from luthier.generation.remote import Remote, only_model, waited

    remote = Remote(options.upstream, "", key_variable=options.upstream_key_variable)
    return options.model_copy(update={"model": waited(only_model(remote))})


class Probing:
    """Probes the models of the catalogue that ask for it; from then on requests for what is missing are refused."""

    def __init__(self, answering: Answering, catalogue: Catalogue, report: Report) -> None:
        """Begins, and waits a moment for the end: better a late first answer than one with something dropped."""
        self._probes: list[_Probe] = []
        for entry in catalogue.entries:
            remote = answering.remote(entry.id, "embedding" if entry.kind == "embedding" else "chat")
            if entry.probe and remote is not None:
                self._probes.append(_Probe(entry.id, remote))
        for probe in self._probes:
            threading.Thread(target=probe.run, daemon=True, name=f"probe {probe.name}").start()
        deadline = time.monotonic() + PATIENCE_S
        while any(not probe.tried for probe in self._probes) and time.monotonic() < deadline and not report.cancelled():
            self.look(report)
            time.sleep(LOOK_S)
        self.look(report)

    def look(self, report: Report) -> None:
        """Says what has been found since the last look."""
        for probe in self._probes:
            probe.tell(report)

    def close(self) -> None:
        """Ends what is under way."""
        for probe in self._probes:
            probe.ended.set()


class _Probe:
    """The probe of one model, in a thread of its own; what it says waits until another thread reports it."""

    def __init__(self, name: str, remote: Remote) -> None:
        self.name, self._remote = name, remote
        self.tried, self.ended = False, threading.Event()
        self._progress: tuple[int, int] | None = None
        self._said: queue.SimpleQueue[tuple[str, str, Table | None]] = queue.SimpleQueue()

    def run(self) -> None:
        """Probes until it works once; a server that is not there yet may come."""
        wait_s = AGAIN_S
        while not self.ended.is_set() and not self._works():
            self.ended.wait(wait_s)
            wait_s = min(2 * wait_s, RARELY_S)

    def _works(self) -> bool:
        from luthier.generation.probe import probe
        from luthier.generation.remote import Remote, waited

        there = self._remote
        asked = Remote(there.url, there.model, key_variable=there.key_variable, label=there.url)
        try:
            found = waited(probe(asked, self._hear))
        except Interrupted:
            return True
        except LuthierError as error:
            if not self.tried:
                then = f"{self.name} cannot be probed yet, and what it ignores is not refused"
                self._said.put(("warning", f"{then}: {error}", None))
            self.tried = True
            return False
        there.findings = found
        missing = dict.fromkeys(one.feature for one in found.found if one.missing and one.keys)
        less = f"requests for these are refused: {', '.join(missing)}" if missing else "nothing has to be refused"
        self._said.put(("info", f"{self.name} at {there.url} was probed; {less}", found.table()))
        self.tried = True
        return True

    def _hear(self, done: int, total: int) -> None:
        if self.ended.is_set():
            raise Interrupted("the server ends")
        self._progress = (done, total)

    def tell(self, report: Report) -> None:
        """Reports the progress, and what waits to be said."""
        if self._progress is not None:
            (done, total), self._progress = self._progress, None
            report.progress(f"probe of {self.name}", done, total)
        while not self._said.empty():
            kind, text, table = self._said.get()
            report.event(kind, text, table=table)
