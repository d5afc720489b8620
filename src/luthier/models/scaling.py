"""How large a model and how many tokens a compute budget should buy (compute-optimal training).

Loss(N, D) = E + A / N^alpha + B / D^beta nats per token for N parameters and D tokens, with 6 N D operations
(Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", eq. 2 and approach 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from luthier.errors import SpecError
from luthier.report import Table


@dataclass(frozen=True, slots=True)
class LossFit:
    """The constants of the parametric loss."""

    name: str
    e: float
    a: float
    b: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """Returns the predicted loss in nats per token."""
        return self.e + self.a * math.pow(parameters, -self.alpha) + self.b * math.pow(tokens, -self.beta)

    def optimum(self, flops: float) -> tuple[float, float]:
        """Returns (parameters, tokens) of the lowest loss that `flops` operations can buy (Hoffmann et al., eq. 4)."""
        base = (self.alpha * self.a / (self.beta * self.b)) ** (1 / (self.alpha + self.beta))
        parameters = base * (flops / 6) ** (self.beta / (self.alpha + self.beta))
        return parameters, flops / 6 / parameters


HOFFMANN_2022 = LossFit("Hoffmann et al. 2022", 1.69, 406.4, 410.7, 0.34, 0.28)
BESIROGLU_2024 = LossFit("Besiroglu et al. 2024", 1.8172, 482.01, 2085.43, 0.3478, 0.3658)
"""The refit of the same runs ("Chinchilla Scaling: A replication attempt", arXiv 2404.10102). The constants printed in
2022 are rounded and contradict the paper's other two approaches; the refit agrees with them, so it is our default."""


@dataclass(frozen=True, slots=True)
class ComputePlan:
    """One way to spend a budget: `flops` = 6 N D, `hours` and `cost` at the speed and the price given."""

    parameters: int
    tokens: int
    flops: float
    loss: float
    hours: float | None
    cost: float | None
    optimal: bool


def plan_compute(
    *,
    flops: float | None = None,
    hours: float | None = None,
    flops_per_second: float | None = None,
    price_per_hour: float | None = None,
    steps: int = 3,
    fit: LossFit = BESIROGLU_2024,
) -> tuple[ComputePlan, ...]:
    """Returns plans that each spend the same budget, from 2^steps times smaller than the best model to 2^steps larger.

    The budget is a number of operations, or hours at `flops_per_second`. `SpecError` when it is neither or both.
    """
    budget = _budget(flops, hours, flops_per_second)
    best, _ = fit.optimum(budget)
    sizes = [best * 2.0**step for step in range(-steps, steps + 1)]
    return tuple(_plan(budget, size, flops_per_second, price_per_hour, fit, optimal=size == best) for size in sizes)


def compute_table(plans: tuple[ComputePlan, ...], fit: LossFit = BESIROGLU_2024) -> Table:
    """Returns the plans as a table, the best one marked."""
    rows = tuple(
        (
            f"{short(plan.parameters)}{' (best)' if plan.optimal else ''}",
            short(plan.tokens),
            f"{plan.tokens / plan.parameters:.1f}",
            f"{plan.flops:.2e}",
            f"{plan.loss:.3f}",
            "-" if plan.hours is None else f"{plan.hours:,.2f}",
            "-" if plan.cost is None else f"{plan.cost:,.2f}",
        )
        for plan in plans
    )
    columns = ("parameters", "tokens", "tokens per parameter", "operations", "predicted loss", "hours", "cost")
    note = (
        f"Loss in nats per token by the fit of {fit.name} to English web text: compare the lines with each other; on "
        "your text and tokenizer the values differ. Operations = 6 x parameters x tokens."
    )
    return Table("What this compute buys", columns, rows, note)


def short(count: float) -> str:
    """Returns a count as people say it: 1.2k, 34M, 5.6B."""
    for size, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        # 999,600 rounds to 1000k, so a unit begins where three digits no longer hold the count
        if count >= 0.9995 * size:
            return f"{count / size:.3g}{suffix}"
    return f"{count:.3g}"


def _budget(flops: float | None, hours: float | None, flops_per_second: float | None) -> float:
    if (flops is None) == (hours is None):
        raise SpecError("give a budget either in operations or in hours", where="plan_compute", remedy="give one")
    if hours is not None:
        if flops_per_second is None:
            raise SpecError("hours need a speed", where="plan_compute", remedy="give operations per second too")
        flops = hours * 3600 * flops_per_second
    for name, value in (("budget", flops), ("speed", flops_per_second)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise SpecError(f"a {name} of {value!r} is not a positive number", where="plan_compute", remedy="give one")
    assert flops is not None
    return flops


def _plan(
    budget: float, size: float, speed: float | None, price: float | None, fit: LossFit, *, optimal: bool
) -> ComputePlan:
    parameters = max(1, round(size))
    tokens = max(1, round(budget / 6 / parameters))
    hours = budget / speed / 3600 if speed else None
    cost = hours * price if hours is not None and price is not None else None
    return ComputePlan(
        parameters, tokens, 6.0 * parameters * tokens, fit.loss(parameters, tokens), hours, cost, optimal
    )
