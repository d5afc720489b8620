"""The gate of a server: who asks, whether they may, and what they have used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from luthier.access.keys import Key, Keys, KnownKeys
from luthier.access.limits import Rates
from luthier.access.usage import Recorder, Usage, Used, Whose
from luthier.errors import LimitError
from luthier.store.database import Database

Prices = Callable[[str], tuple[str, float, float]]
"""The name that a model has here -> what it is counted as, and the prices of a million tokens read and written."""


@dataclass(slots=True)
class Meter:
    """What one request uses. Each model counts as one request, however many replies it writes."""

    key: Key
    kind: str
    gate: Gate
    prices: Prices
    total: Used = field(default_factory=Used)
    models: list[str] = field(default_factory=list)

    def add(self, model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> None:
        """Notes tokens that a model has read and written."""
        name, of_input, of_output = self.prices(model)
        cost = (input_tokens * of_input + output_tokens * of_output) / 1e6
        used = Used(int(name not in self.models), input_tokens, cached_tokens, output_tokens, cost)
        if used.requests:
            self.models.append(name)
        self.total += used
        self.gate.rates.take(self.key, used.tokens)
        self.gate.recorder.add(Whose(self.key.project, self.key.id, self.kind, name), used)


class Gate:
    """Keys, limits and use of one server."""

    def __init__(self, database: Database) -> None:
        self.keys, self.usage = Keys(database), Usage(database)
        self.known, self.rates, self.recorder = KnownKeys(self.keys), Rates(), Recorder(self.usage)

    def admit(self, key: Key, *, counted: bool) -> Mapping[str, str]:
        """Lets a request in, which uses tokens when it is `counted`; returns what is left, as headers.

        `LimitError` when the key's limits are reached, `StoreError` when it is not known what it has spent.
        """
        self.check_budget(key, counted=counted)
        self.rates.admit(key, tokens=counted)
        return self.rates.headers(key)

    def check_budget(self, key: Key, *, counted: bool) -> None:
        """`LimitError` when the key's money for this month is spent."""
        budget = key.limits.monthly_budget
        if counted and budget is not None and (spent := self.recorder.spent(key.id)) >= budget:
            raise LimitError(
                f"the budget of {budget:g} for this month is spent ({spent:g})", where=f"key {key.name}", what="money"
            )

    def close(self) -> None:
        """Writes what was used."""
        self.recorder.close()
