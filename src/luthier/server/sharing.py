"""Jobs beside a server on one machine: they compute with what the server leaves of the processor."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

NICENESS = 10
"""A tenth of the server's weight: less, or the idle class of Linux, and a job beside a busy server makes no steps."""


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Returns a process that a key pressed in the server's terminal does not reach.

    It stays in the server's session: Linux shares the processor out between sessions first, and how nice a process is
    counts only inside one (sched(7), autogroups). A job in a session of its own takes half of the machine, nice or not.
    """
    return subprocess.Popen(words, process_group=0)


def write_anyway() -> None:
    """Lets a process that `start` made write to the terminal: some stop those in their background that do."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def step_back() -> None:
    """Makes this thread, and what it starts from here on, give way to the server: a tenth of a processor is left to it.

    On Linux threads that are there already stay as they are: what holds a job's lease must not wait for the server.
    """
    os.nice(NICENESS)
