from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import SpecError
from luthier.models.scaling import BESIROGLU_2024, HOFFMANN_2022, LossFit, compute_table, plan_compute, short

budgets = st.floats(min_value=1e12, max_value=1e26)


@pytest.mark.parametrize("fit", [HOFFMANN_2022, BESIROGLU_2024])
@given(flops=budgets)
def test_the_optimum_is_the_lowest_loss_of_its_budget(fit: LossFit, flops: float) -> None:
    parameters, tokens = fit.optimum(flops)
    assert 6 * parameters * tokens == pytest.approx(flops)

    def loss(log_size: float) -> float:
        size = math.exp(log_size)
        return fit.loss(size, flops / 6 / size)

    here, step = math.log(parameters), 1e-3
    slope = (loss(here + step) - loss(here - step)) / (2 * step)
    bend = (loss(here + step) - 2 * loss(here) + loss(here - step)) / step**2
    assert abs(slope) < 1e-5 * loss(here)
    assert bend > 0


def test_the_fits_say_what_their_papers_say() -> None:
    # Hoffmann et al. 2022, table A3, approach 3: Gopher's 5.76e23 operations; Besiroglu et al.: about 20 tokens each
    assert HOFFMANN_2022.optimum(5.76e23)[0] == pytest.approx(40e9, rel=0.25)
    parameters, tokens = BESIROGLU_2024.optimum(5.76e23)
    assert 15 < tokens / parameters < 30
    assert HOFFMANN_2022.loss(70e9, 1.4e12) == pytest.approx(1.937, abs=0.01)


@given(budgets)
def test_every_plan_spends_the_budget_and_only_the_best_is_marked(flops: float) -> None:
    plans = plan_compute(flops=flops, flops_per_second=1e11, price_per_hour=2.0)
    assert len(plans) == 7
    best = [plan for plan in plans if plan.optimal]
    assert len(best) == 1
    assert best[0] is plans[3]
    for plan in plans:
        assert plan.loss >= best[0].loss * (1 - 1e-9)
        assert plan.flops == pytest.approx(flops, rel=1e-3)
        assert plan.hours == pytest.approx(flops / 1e11 / 3600)
        assert plan.cost == pytest.approx(2 * plan.hours)


def test_hours_are_turned_into_operations() -> None:
    by_hours = plan_compute(hours=2, flops_per_second=1e11)
    assert by_hours == plan_compute(flops=7200e11, flops_per_second=1e11)
    assert by_hours[0].cost is None
    assert plan_compute(flops=1e15)[0].hours is None


@pytest.mark.parametrize(
    "values",
    [{}, {"flops": 1e15, "hours": 1.0}, {"hours": 1.0}, {"flops": -1.0}, {"flops": float("nan")},
     {"hours": 1.0, "flops_per_second": 0.0}],
)  # fmt: skip
def test_a_budget_that_is_none_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(SpecError):
        plan_compute(**values)


def test_the_table_marks_the_best_and_names_the_fit() -> None:
    table = compute_table(plan_compute(flops=1e18, flops_per_second=1e12, price_per_hour=1.5))
    assert [("best" in row[0]) for row in table.rows] == [False] * 3 + [True] + [False] * 3
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert "Besiroglu" in table.note
    assert compute_table(plan_compute(flops=1e18)).rows[0][-1] == "-"


def test_counts_are_short() -> None:
    assert [short(count) for count in (12, 1_234, 999_600, 34_000_000, 5.6e9, 1.4e12)] == [
        "12",
        "1.23k",
        "1M",
        "34M",
        "5.6B",
        "1.4T",
    ]
