"""The server's own log: a JSON object a line, with the request's id, and nothing that people have written."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

REQUEST: ContextVar[str | None] = ContextVar("luthier_request", default=None)
"""The id of the request that is worked on."""
LARGEST, KEPT = 16 * 2**20, 4
ROOMS = ("luthier", "uvicorn.error")
PLAIN = "-"


class JsonLines(logging.Formatter):
    """Writes a record as JSON; of an exception its type and its places in the code, since its words may be people's."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := REQUEST.get()) is not None:
            line["request_id"] = request
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = type(record.exc_info[1]).__name__
            line["at"] = places_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def places_of(error: BaseException) -> list[str]:
    """Returns where an error came up, the innermost place last, without what was said or computed there."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def begin(where: str) -> logging.Handler:
    """Sends the log to the file `where` (in pieces of 16 MiB, five at most), or to standard output for "-"."""
    handler: logging.Handler
    if where == PLAIN:
        handler = logging.StreamHandler(sys.stdout)
    else:
        Path(where).parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(where, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(JsonLines())
    loud = logging.StreamHandler()  # what is wrong is also said where the server was started
    loud.setLevel(logging.WARNING)
    loud.setFormatter(JsonLines())
    for name in ROOMS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.addHandler(loud)
        logger.propagate = False
    return handler
