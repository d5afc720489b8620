"""Replies kept in a file, so that an evaluation that was stopped goes on where it was.

One JSON line per reply, under the key of (system, row, sampling). Only replies are kept, no failures: those are tried
again. A line that was cut off when the process died is ignored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from luthier.errors import LuthierError
from luthier.evaluation.items import Answered, Item, System
from luthier.records.messages import Reply, Sampling


class KeptReplies:
    """The replies in `path`, which is read at the start and added to. `path` None keeps them in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._known: dict[str, Answered] = {}
        self._file: TextIO | None = None
        if path is not None:
            self._read(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, key: str) -> Answered | None:
        """Returns the reply kept under `key`."""
        return self._known.get(key)

    def put(self, key: str, reply: Answered) -> None:
        """Keeps a reply; a failure is not kept."""
        if reply.error:
            return
        self._known[key] = reply
        if self._file is not None:
            self._file.write(json.dumps({"key": key} | reply.to_json()) + "\n")
            self._file.flush()

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8", errors="replace")
        if text and not text.endswith("\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")  # what comes next must not join the line that was cut off
        for line in text.splitlines():
            try:
                value: dict[str, Any] = json.loads(line)
                self._known[value["key"]] = Answered.from_json(value)
            except (ValueError, KeyError, TypeError):
                continue


def reply_key(system: str, item: Item, sampling: Sampling) -> str:
    """Returns the key of one reply. `system` must change when the model's weights do."""
    text = json.dumps([system, item.fingerprint, asdict(sampling)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def answer_items(
    system: System,
    items: Sequence[Item],
    sampling: Sampling,
    *,
    kept: KeptReplies | None = None,
    identity: str | None = None,
    on_reply: Callable[[int, Answered], None] = lambda done, reply: None,
    between: Callable[[], None] = lambda: None,
) -> list[Answered]:
    """Returns the replies of `system` to `items`, in their order, asking only for those not in `kept`.

    `on_reply(done, reply)` hears each one that had to be asked for; `done` counts those kept as well. `between` is
    called often while the system works. `identity` stands for the system in the key (default: its name).
    """
    kept = kept or KeptReplies(None)
    keys = [reply_key(identity or system.name, item, sampling) for item in items]
    replies = [kept.get(key) for key in keys]
    missing = [place for place, reply in enumerate(replies) if reply is None]
    done = len(items) - len(missing)

    def hear(number: int, given: Reply | LuthierError) -> None:
        nonlocal done
        reply = Answered.of(given)
        replies[missing[number]] = reply
        kept.put(keys[missing[number]], reply)
        done += 1
        on_reply(done, reply)

    if missing:
        system.answer([items[place].prompt for place in missing], sampling, hear, between)
    return [reply or Answered(finish_reason="failed", error="the system gave no reply") for reply in replies]


def failures(items: Sequence[Item], replies: Sequence[Answered]) -> str:
    """Returns in words how many of `replies` failed, with the first one's row and reason; "" when none did."""
    failed = [(item, reply) for item, reply in zip(items, replies, strict=True) if reply.error]
    if not failed:
        return ""
    item, reply = failed[0]
    place = item.origin or f"row {item.index + 1}"
    return f"{len(failed)} of {len(items)} rows failed, and count as wrong; the first, {place}: {reply.error}"
