"""Limits by the minute: buckets that fill up as time goes by. They are this process's own, and full when it starts."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from luthier.access.keys import Key
from luthier.errors import LimitError

MINUTE_S = 60.0


@dataclass(slots=True)
class Bucket:
    """What is left of a minute's worth of something. Below zero it is a debt, which has to be paid off first."""

    size: float
    left: float
    at: float

    def fill(self, now: float) -> None:
        """Adds what has come in since the last time."""
        self.left = min(self.size, self.left + (now - self.at) * self.size / MINUTE_S)
        self.at = now

    def until(self, wanted: float) -> float:
        """Returns in how many seconds `wanted` is there; 0 where it is."""
        return max(0.0, (wanted - self.left) * MINUTE_S / self.size)


class Rates:
    """Requests and tokens of each key in the last minute.

    A request may begin when one is left and the tokens are not used up. How many it takes is known when it has ended;
    they may make a debt, so that over any longer time nobody gets more than their limit.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def admit(self, key: Key, *, tokens: bool) -> None:
        """Takes one request; where `tokens` are going to be used they must not be used up. `LimitError` if not."""
        with self._lock:
            requests, used = self._bucket(key, "requests"), self._bucket(key, "tokens")
            if requests is not None and (wait_s := requests.until(1.0)) > 0:
                raise _over(key, "requests", requests, wait_s)
            if tokens and used is not None and (wait_s := used.until(1.0)) > 0:
                raise _over(key, "tokens", used, wait_s)
            if requests is not None:
                requests.left -= 1

    def take(self, key: Key, tokens: int) -> None:
        """Takes the tokens that a request has used."""
        with self._lock:
            if (bucket := self._bucket(key, "tokens")) is not None:
                bucket.left -= tokens

    def headers(self, key: Key) -> Mapping[str, str]:
        """Returns what is left, as the hosted API says it."""
        out = {}
        with self._lock:
            for what in ("requests", "tokens"):
                if (bucket := self._bucket(key, what)) is not None:
                    out[f"x-ratelimit-limit-{what}"] = f"{bucket.size:.0f}"
                    out[f"x-ratelimit-remaining-{what}"] = str(max(0, math.floor(bucket.left)))
                    out[f"x-ratelimit-reset-{what}"] = f"{bucket.until(bucket.size):.3f}s"
        return out

    def _bucket(self, key: Key, what: str) -> Bucket | None:
        size = key.limits.requests_per_minute if what == "requests" else key.limits.tokens_per_minute
        name, now = (key.id, what), self._clock()
        if size is None:
            self._buckets.pop(name, None)
            return None
        bucket = self._buckets.setdefault(name, Bucket(size, size, now))
        if bucket.size != size:  # the limit was changed
            bucket.size, bucket.left = size, min(bucket.left, size)
        bucket.fill(now)
        return bucket


def _over(key: Key, what: str, bucket: Bucket, wait_s: float) -> LimitError:
    return LimitError(
        f"{bucket.size:.0f} {what} a minute are used up", where=f"key {key.name}", later_s=wait_s, what=what
    )
