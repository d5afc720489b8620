"""The learning rate is a pure function of the step."""

import math

from hypothesis import given
from hypothesis import strategies as st

from luthier.training.options import TrainingOptions
from luthier.training.schedule import learning_rate, warmup_length


@given(
    total=st.integers(1, 500),
    ratio=st.floats(0, 1),
    kind=st.sampled_from(["cosine", "linear", "constant"]),
    peak=st.floats(1e-6, 1),
)
def test_rises_to_the_peak_and_never_above(total: int, ratio: float, kind: str, peak: float) -> None:
    options = TrainingOptions(warmup_ratio=ratio, lr_scheduler_type=kind)
    rates = [learning_rate(options, peak, step, total) for step in range(total)]
    assert all(0 < rate <= peak * (1 + 1e-12) for rate in rates)
    assert math.isclose(max(rates), peak)
    warm = warmup_length(options, total)
    assert rates[:warm] == sorted(rates[:warm])
    assert rates[warm:] == sorted(rates[warm:], reverse=True)


def test_known_points() -> None:
    options = TrainingOptions(warmup_steps=2, lr_scheduler_type="linear")
    assert [learning_rate(options, 1.0, step, 6) for step in range(6)] == [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    cosine = TrainingOptions(warmup_steps=0, lr_scheduler_type="cosine")
    assert learning_rate(cosine, 1.0, 2, 4) == 0.5 * (1 + math.cos(math.pi / 2))


def test_warmup_steps_override_the_ratio_and_end_with_the_run() -> None:
    assert warmup_length(TrainingOptions(warmup_steps=50, warmup_ratio=0.5), 10) == 10
    assert warmup_length(TrainingOptions(warmup_ratio=0.05), 10) == 1
