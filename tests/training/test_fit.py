"""Passes are as large as memory allows, and activations are recomputed only when it needs that."""

from luthier.models.memory import MemoryPlan
from luthier.training.fit import Fit, fit_passes, token_budgets


def predict(tokens: int, checkpointing: bool) -> MemoryPlan:
    return MemoryPlan(0, 1000, 0, 0, 0, tokens * (1 if checkpointing else 10), 0, 0, 0)


def fit(free: int, *, checkpointing: tuple[bool, ...] = (False, True)) -> Fit | None:
    return fit_passes(predict, free_bytes=free, budgets=token_budgets(100, on_cpu=True), checkpointing=checkpointing)


def test_takes_the_largest_pass_that_fits() -> None:
    assert fit(10**9) == Fit(4096, False, predict(4096, False))
    assert fit(30_000) == Fit(2048, False, predict(2048, False))
    assert fit(3000) == Fit(128, False, predict(128, False))


def test_recomputes_only_when_memory_needs_it() -> None:
    found = fit(2000)
    assert found is not None
    assert found.gradient_checkpointing
    assert found.max_tokens_per_pass == 512
    assert fit(2200) == Fit(100, False, predict(100, False))


def test_what_cannot_fit_is_none() -> None:
    assert fit(900) is None
    assert fit(2000, checkpointing=(False,)) is None


def test_budgets_end_at_the_longest_row() -> None:
    assert token_budgets(100, on_cpu=True) == [4096, 2048, 1024, 512, 256, 128, 100]
    assert token_budgets(9000, on_cpu=True) == [9000]
    assert token_budgets(9000, on_cpu=False) == [32768, 16384, 9000]
