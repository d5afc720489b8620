"""Jobs beside a server on one machine: they compute with what the server leaves of the processor."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

from luthier.access.options import VARIABLE

OPTIONS = "LUTHIER_OPTIONS"
NICENESS = 10
"""A tenth of the server's weight: less, or the idle class of Linux, and a job beside a busy server makes no steps."""


def start(words: Sequence[str], options: str) -> subprocess.Popen[bytes]:
    """Returns a process that a key pressed in the server's terminal does not reach; it reads `options` by `handed`.

    They may hold a password, and everyone on a machine can read the words of a process. The server's own key is none of
    its business.

    It stays in the server's session: Linux shares the processor out between sessions first, and how nice a process is
    counts only inside one (sched(7), autogroups). A job in a session of its own takes half of the machine, nice or not.
    """
    env = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return subprocess.Popen(words, process_group=0, env=env | {OPTIONS: options})


def handed() -> str:
    """Returns the options that a process of `start` was given; what it starts in its turn does not have them."""
    return os.environ.pop(OPTIONS)


def write_anyway() -> None:
    """Lets a process that `start` made write to the terminal: some stop those in their background that do."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def step_back() -> None:
    """Makes this thread, and what it starts from here on, give way to the server: a tenth of a processor is left to it.

    On Linux threads that are there already stay as they are: what holds a job's lease must not wait for the server.
    """
    os.nice(NICENESS)
