"""What must not change a number, and what may only change it one way, over every check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.results import Measurement
from tests.contracts.cases import KINDS, REGISTRY, Cells, batched, case_of, cells, numbers, permuted, records

NEW = {"black": "zz", "white": "<b>a</b>", "asian": "mm", "f": "2", "m": "1", None: None}
FROM_PREDICTIONS = ("performance", "fairness", "calibration")


def assert_same(one: dict[Any, Measurement], other: dict[Any, Measurement], tolerance: float = 1e-9) -> None:
    assert set(one) == set(other)
    pairs = [
        ([m.value, m.interval.lower, m.interval.upper, m.n], [o.value, o.interval.lower, o.interval.upper, o.n], key)
        for key, m in one.items()
        for o in [other[key]]
    ]
    assert [key for a, b, key in pairs if not np.allclose(a, b, rtol=tolerance, atol=tolerance)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_rows_changes_no_number(kind: str) -> None:
    """Checks of cost "gradient" look at a seeded sample and background of the rows: for them the sample may differ."""
    one, other = (numbers(records(case_of(kind, test))) for test in (cells(), permuted(cells())))
    exact = {key: m for key, m in one.items() if REGISTRY.checks[key[0]].cost != "gradient"}
    assert_same(exact, {key: m for key, m in other.items() if REGISTRY.checks[key[0]].cost != "gradient"})


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_the_groups_change_no_number(kind: str) -> None:
    test, train = (
        c | {g: np.array([NEW[v] for v in c[g]], dtype=object) for g in ("race", "sex")} for c in (cells(), cells(2))
    )
    one = numbers(records(case_of(kind, cells())), lambda v: NEW[v])
    other = numbers(records(case_of(kind, test, train=train)))
    assert_same(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_neither_chunks_nor_batches_change_a_number(kind: str) -> None:
    one = numbers(records(case_of(kind, cells())))
    assert_same(one, numbers(records(case_of(kind, cells(), chunks=7))))
    assert_same(one, numbers(records(batched(case_of(kind, cells()), 13))), tolerance=1e-5)  # float32 sums by batch


def test_a_feature_in_another_unit_leaves_what_is_measured_from_predictions() -> None:
    scaled = cells() | {"x": cells()["x"] * 1000 + 5}
    one, other = (numbers(records(case_of("stored", test))) for test in (cells(), scaled))
    from_predictions = {key: m for key, m in one.items() if key[0].split(".")[0] in FROM_PREDICTIONS}
    assert len(from_predictions) > 100
    assert_same(from_predictions, {key: other[key] for key in from_predictions})


def gaps(test: Cells) -> dict[str, float]:
    """Largest gap between the sexes of every rate of the group checks."""
    found: dict[str, list[float]] = {}
    for (check, name, group, _), m in numbers(records(case_of("stored", test))).items():
        if check.startswith("fairness") and {c for c, _ in group} == {"sex"}:
            found.setdefault(name, []).append(m.value)
    return {name: max(values) - min(values) for name, values in found.items()}


@settings(max_examples=12, deadline=None)
@given(first=st.integers(0, 20), more=st.integers(0, 20), seed=st.integers(0, 5))
def test_a_more_unfair_model_never_shows_a_smaller_gap(first: int, more: int, seed: int) -> None:
    """Women lose the positive decision one after the other, from equal rates on: no gap may shrink."""
    base = cells(seed)
    women = np.array([v == "f" for v in base["sex"]])
    base["y"] = np.tile([0, 1], len(women))[: len(women)]
    base["s"] = np.ones(len(women))
    deserving = np.flatnonzero(women & (base["y"] == 1))

    def unfair(refused: int) -> dict[str, float]:
        scores = base["s"].copy()
        scores[deserving[:refused]] = 0.0
        return gaps(base | {"s": scores})

    less, worse = unfair(first), unfair(first + more)
    for name in ("selection_rate", "true_positive_rate", "false_negative_rate"):
        assert worse[name] >= less[name] - 1e-12
