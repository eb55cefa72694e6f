"""Selection and favourable rates: equal to fairlearn's, with or without labels, for every group and crossing."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.results import Outcome, Reason
from audit.stats import interval, rate
from tests.worlds.random_tables import Cells, binary_case, binary_cells, shuffled, slices
from tests.worlds.tables import make_case, measurement, numbers, run_check


def selection(cells: Cells) -> Outcome:
    return run_check(binary_case(cells), "fairness.selection")


def test_every_group_has_fairlearns_selection_rate_and_its_wilson_interval() -> None:
    cells = binary_cells(1)
    outcome = selection(cells)
    usable = np.isfinite(cells["s"])
    decided = (cells["s"] >= 0.5)[usable].astype(int)
    for columns in (["race"], ["sex"], ["race", "sex"]):
        words = {c: [str(v) for v in cells[c][usable]] for c in columns}  # fairlearn refuses a missing group value
        frame = MetricFrame(metrics=selection_rate, y_true=decided, y_pred=decided, sensitive_features=words)
        for levels, expected in frame.by_group.dropna().items():
            names = levels if isinstance(levels, tuple) else (levels,)
            group = {c: None if v == "None" else v for c, v in zip(columns, names, strict=True)}
            found = measurement(outcome, "selection_rate", by=group)
            assert found.value == pytest.approx(expected, abs=1e-12)
            assert found.interval == interval(rate(round(found.value * found.n), found.n), 0.95)


def test_the_denominator_is_the_rows_of_the_group_that_have_a_decision() -> None:
    cells = binary_cells(2)
    outcome = selection(cells)
    for group, mask in slices(cells):
        found = measurement(outcome, "selection_rate", by=group)
        assert found.n == int((mask & np.isfinite(cells["s"])).sum())


def test_rates_need_no_label() -> None:
    cells = {name: values for name, values in binary_cells(3).items() if name != "y"}
    unlabelled = run_check(make_case(cells, positive=1, score="s", groups=("race", "sex")), "fairness.selection")
    assert numbers(unlabelled) == numbers(selection(binary_cells(3)))


def test_where_the_negative_outcome_is_the_favourable_one_the_two_rates_add_up_to_one() -> None:
    case = binary_case(binary_cells(4), favourable=0)
    outcome = run_check(case, "fairness.selection")
    for group in ({}, {"sex": "f"}, {"race": None, "sex": "m"}):
        both = [measurement(outcome, name, by=group) for name in ("selection_rate", "favourable_rate")]
        assert sum(m.value for m in both) == pytest.approx(1, abs=1e-12)


def test_a_group_whose_rows_all_lack_a_decision_is_an_omission_and_not_a_rate_of_0() -> None:
    case = make_case(
        {"g": ["a"] * 5 + ["b"] * 3, "y": [0, 1, 0, 1, 1, 0, 1, 0], "s": [0.2, 0.7, 0.9, 0.1, 0.6] + [np.nan] * 3},
        target="y",
        positive=1,
        score="s",
        groups=["g"],
    )
    outcome = run_check(case, "fairness.selection")
    missing = [o for o in outcome.omissions if o.slice == {"g": "b"}]
    assert {o.name for o in missing} == {"selection_rate", "favourable_rate"}
    assert all(o.reason is Reason.UNDEFINED and o.n == 0 and "g = b (0 rows)" in o.detail for o in missing)
    assert {m.slice.get("g") for m in outcome.measurements} == {None, "a"}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int, order: int) -> None:
    cells = binary_cells(seed, n=60)
    assert numbers(selection(cells)) == numbers(selection(shuffled(cells, order)))


@settings(max_examples=15, deadline=None)
@given(names=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=2, unique=True))
def test_the_names_of_groups_change_no_number(names: list[str]) -> None:
    cells = binary_cells(5, n=80)
    renamed = {**cells, "sex": np.array([names[0] if v == "f" else names[1] for v in cells["sex"]], dtype=object)}
    before = {m.slice["sex"]: m.value for m in selection(cells).measurements if set(m.slice) == {"sex"}}
    after = {m.slice["sex"]: m.value for m in selection(renamed).measurements if set(m.slice) == {"sex"}}
    assert after == {names[0]: before["f"], names[1]: before["m"]}
