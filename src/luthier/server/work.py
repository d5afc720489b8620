"""A worker process of `luthier serve`: `python -m luthier.server.work`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from luthier.report import Table, write_line
from luthier.server.sharing import handed, write_anyway
from luthier.server.worker import Spec, run


class LineReport:
    """Says events as lines of the server's own output; ends when asked to, or when the server is gone."""

    def __init__(self) -> None:
        self._parent, self._asked = os.getppid(), False
        write_anyway()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        """Progress is in the store."""

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Metrics are in the store."""

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        write_line(sys.stderr, message)

    def cancelled(self) -> bool:
        return self._asked or os.getppid() != self._parent

    def _hear(self, *_: object) -> None:
        self._asked = True


if __name__ == "__main__":
    run(Spec.model_validate_json(handed()), LineReport())
