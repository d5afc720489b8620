"""Silence: how long those who hold something have not been heard, by a clock that nobody can set."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class Silence:
    """What was seen of each lease, and when it last changed. `ticks` are seconds that only go forwards."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._seen: dict[str, tuple[float, float]] = {}

    def of(self, leases: Mapping[str, float]) -> dict[str, float]:
        """Returns for how many seconds each of all leases, as they are now, has been seen unchanged."""
        now, before = self._ticks(), self._seen
        self._seen = {}
        for id, until in leases.items():
            seen, at = before.get(id, (until, now))
            self._seen[id] = (until, at if seen == until else now)
        return {id: now - at for id, (_, at) in self._seen.items()}

    def given(self, id: str, until: float) -> None:
        """Notes a lease as it is from now on."""
        self._seen[id] = (until, self._ticks())

    def forget(self) -> None:
        """Begins anew: nobody could have been heard meanwhile."""
        self._seen = {}
