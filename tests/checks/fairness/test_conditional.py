"""Conditional parity: Mantel-Haenszel by hand, Simpson's paradox, and strata that say nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from audit.case import Case
from audit.errors import Unavailable
from audit.results import Outcome, Table
from audit.stats import interval, pooled_difference, value
from tests.worlds.tables import evidence, make_case, measurement, omission, run_check

ADMISSIONS = {  # Berkeley 1973 in small: (department, sex): admitted of applied
    ("easy", "m"): (60, 100), ("easy", "f"): (16, 25), ("hard", "m"): (5, 25), ("hard", "f"): (22, 100),
}  # fmt: skip


def case_of(cells: dict[tuple[str, str], tuple[int, int]], **more: Any) -> Case:
    rows = [(dept, sex, int(i < k)) for (dept, sex), (k, n) in cells.items() for i in range(n)]
    dept, sex, d = zip(*rows, strict=True)
    columns = {"dept": dept, "sex": sex, "d": d, "y": [1 - v if i % 5 == 0 else v for i, v in enumerate(d)]}
    case = make_case(columns, target="y", positive=1, prediction="d", groups=["sex"], **more)
    return with_roles(case, control=("dept",))


def with_roles(case: Case, **roles: Any) -> Case:
    test = case.datasets["test"]
    return replace(case, datasets={**case.datasets, "test": replace(test, roles=replace(test.roles, **roles))})


def conditional(case: Case) -> Outcome:
    return run_check(case, "fairness.conditional")


def test_a_gap_that_departments_explain_turns_around_within_them() -> None:
    case = case_of(ADMISSIONS)
    plain = run_check(case, "fairness.selection")
    rates = [measurement(plain, "selection_rate", by={"sex": sex}).value for sex in ("f", "m")]
    assert rates[0] < rates[1] - 0.1
    found = measurement(conditional(case), "conditional_selection_gap", by={"sex": "f"})
    weights = [25 * 100 / 125, 100 * 25 / 125]
    by_hand = np.average([16 / 25 - 60 / 100, 22 / 100 - 5 / 25], weights=weights)
    assert found.value == pytest.approx(by_hand, abs=1e-12)
    assert found.value > 0
    assert found.n == 125


def test_the_table_shows_every_stratum_with_its_rows() -> None:
    table = evidence(conditional(case_of(ADMISSIONS)), "strata by sex")
    assert isinstance(table, Table)
    shown = {row[:2]: row for row in table.rows}
    row = shown["sex = f", "dept = hard"]
    assert row[2:7] == (100, 25, pytest.approx(0.22), pytest.approx(0.2), pytest.approx(0.02))
    assert row[7] < 0.02 < row[8]


def test_a_stratum_of_one_group_alone_compares_nothing_and_is_still_shown() -> None:
    cells = {**ADMISSIONS, ("only", "f"): (9, 10)}
    outcome = conditional(case_of(cells))
    before = measurement(conditional(case_of(ADMISSIONS)), "conditional_selection_gap", by={"sex": "f"})
    assert measurement(outcome, "conditional_selection_gap", by={"sex": "f"}).value == before.value
    table = evidence(outcome, "strata by sex")
    assert isinstance(table, Table)
    assert next(row for row in table.rows if row[1] == "dept = only")[6] is None


def test_strata_that_never_hold_both_sides_leave_the_gap_undefined() -> None:
    cells = {("a", "f"): (5, 10), ("b", "m"): (5, 10)}
    missing = omission(conditional(case_of(cells)), "conditional_selection_gap", by={"sex": "f"})
    assert "no stratum has rows of this group and of others" in missing.detail


def test_weights_and_no_control_are_said() -> None:
    case = case_of(ADMISSIONS)
    without = conditional(with_roles(case, control=()))
    assert "control" in without.omissions[0].remedy
    weighted = with_roles(case, weight="d")
    assert not conditional(weighted).measurements


@pytest.mark.parametrize(("strata", "size"), [(1, 200), (5, 60), (60, 4)])
def test_the_interval_covers_for_few_large_and_many_small_strata(strata: int, size: int) -> None:
    rng = np.random.default_rng(strata)
    hits, times = 0, 400
    for _ in range(times):
        level = rng.uniform(0.2, 0.6, strata)
        n, m = rng.integers(1, size + 1, strata), rng.integers(1, size + 1, strata)
        basis = pooled_difference(rng.binomial(n, level + 0.1), n, rng.binomial(m, level), m)  # type: ignore[arg-type]
        bounds = interval(basis, 0.95)
        hits += bounds.lower <= 0.1 <= bounds.upper
    assert 0.92 <= hits / times <= 0.985


def test_all_selected_everywhere_is_no_certainty() -> None:
    bounds = interval(pooled_difference([3, 4], [3, 4], [5, 6], [5, 6]), 0.95)
    assert bounds.half_width > 0.1
    assert value(pooled_difference([3], [4], [1], [2])) == pytest.approx(0.25)
    with pytest.raises(Unavailable):
        pooled_difference([1], [2], [0], [0])
