"""Passes are as large as memory allows, and what does not fit is refused with what would."""

import pytest

from luthier.errors import CapacityError
from luthier.training.fit import Fit, fit_passes


def predict(tokens: int, checkpointing: bool) -> int:
    return 1000 + tokens * (1 if checkpointing else 10)


def fit(available: int, *, longest: int = 100, tokens: int | None = None, checkpointing: bool | None = None) -> Fit:
    return fit_passes(
        predict,
        available_bytes=available,
        longest=longest,
        wanted_tokens=tokens,
        wanted_checkpointing=checkpointing,
        on_cpu=True,
    )


def test_takes_the_largest_pass_that_fits() -> None:
    assert fit(10**9) == Fit(4096, False, 1000 + 40960, 10**9)
    assert fit(30_000).max_tokens_per_pass == 2048
    assert fit(3000) == Fit(128, False, 2280, 3000)


def test_recomputes_only_when_memory_needs_it() -> None:
    assert fit(2000).gradient_checkpointing
    assert not fit(2500).gradient_checkpointing


def test_what_the_user_named_is_kept() -> None:
    assert fit(10**9, tokens=300, checkpointing=True) == Fit(300, True, 1300, 10**9)


@pytest.mark.parametrize(
    ("available", "arguments", "remedy"),
    [
        (5000, {"tokens": 4000, "checkpointing": False}, "leave max_tokens_per_pass .* to Luthier.* 100 tokens"),
        (1210, {}, "rows of at most 50 tokens would fit: --max-length 50"),
        (900, {}, "use a smaller model"),
    ],
)
def test_what_cannot_fit_is_refused_with_what_would(available: int, arguments: dict[str, int], remedy: str) -> None:
    with pytest.raises(CapacityError, match=remedy):
        fit(available, **arguments)
