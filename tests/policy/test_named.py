"""The field's named comparisons: fairlearn's values where fairlearn defines them, judged like any other limit."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.errors import SpecError
from audit.policy import Finding, Verdict
from audit.policy.limits import measure_id
from audit.results import Measurement
from audit.stats import value

ALL = {  # name: fairlearn's
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "statistical_parity_difference": fl.demographic_parity_difference,
    "disparate_impact_ratio": fl.demographic_parity_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "equal_opportunity_ratio": fl.equal_opportunity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
    "predictive_equality_difference": fl.make_derived_metric(metric=fl.false_positive_rate, transform="difference"),
    "predictive_equality_ratio": fl.make_derived_metric(metric=fl.false_positive_rate, transform="ratio"),
    "accuracy_parity_difference": fl.accuracy_score_difference,
    "accuracy_parity_ratio": fl.accuracy_score_ratio,
    "predictive_parity_difference": fl.make_derived_metric(
        metric=fl.MetricFrame and __import__("sklearn.metrics").metrics.precision_score, transform="difference"
    ),
}


def table(seed: int, levels: int = 3, n: int = 900, tilt: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    g = rng.integers(0, levels, n)
    y = (rng.random(n) < 0.5).astype(int)
    d = (rng.random(n) < 0.3 + 0.3 * y + tilt * (g == 0)).astype(int)
    return {"y": y, "d": d, "g": np.array([f"g{i}" for i in g], dtype=object)}


def finding(cells: dict[str, Any], measure: str, **limit: Any) -> Finding:
    bound = {} if limit else {"min": 1e-9} if measure.endswith("ratio") else {"max": 1.0}
    run = audit.run(
        None, cells, target="y", positive=1, prediction="d", groups=["g"], use=(),
        limits=[{"measure": measure, "by": ["g"], **bound, **limit}],
    )  # fmt: skip
    return run.findings[0]


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_value_is_fairlearns(measure: str, seed: int) -> None:
    cells = table(seed)
    found = finding(cells, measure)
    expected = ALL[measure](cells["y"], cells["d"], sensitive_features=cells["g"])
    assert isinstance(found.subject, Measurement)
    assert found.subject.value == pytest.approx(expected, abs=1e-12)
    assert found.id == f"{measure}@g"
    assert found.verdict is Verdict.PASS
    assert found.subject.interval.lower <= found.subject.value <= found.subject.interval.upper


def rates(cells: dict[str, Any]) -> np.ndarray[Any, Any]:
    """True and false positive rate of each group, counted row by row."""
    names = sorted(set(cells["g"]))
    return np.array([[np.mean(cells["d"][(cells["g"] == g) & (cells["y"] == y)]) for y in (1, 0)] for g in names])


def test_odds_are_averaged_within_groups_between_gaps_or_not_at_all() -> None:
    cells = table(3, levels=2, tilt=0.1)
    a, b = rates(cells)
    cells_of = {name: finding(cells, name).subject for name in (
        "average_odds_difference", "average_abs_odds_difference", "equalized_odds_difference", "average_odds_ratio",
    )}  # fmt: skip
    expected = [
        abs(np.mean(a - b)),
        np.mean(abs(a - b)),
        np.max(abs(a - b)),
        np.mean(np.minimum(a, b) / np.maximum(a, b)),
    ]
    for subject, number in zip(cells_of.values(), expected, strict=True):
        assert isinstance(subject, Measurement)
        assert subject.value == pytest.approx(number, abs=1e-12)
        assert value(subject.basis) in (pytest.approx(number, abs=1e-12), pytest.approx(-number, abs=1e-12))
    mean = fl.equalized_odds_difference(cells["y"], cells["d"], sensitive_features=cells["g"], agg="mean")
    assert expected[1] == pytest.approx(mean, abs=1e-12)


def test_equalized_odds_fails_on_either_rate_and_passes_on_both_only() -> None:
    large, tilted = table(4, levels=2, n=20_000), table(5, levels=2, n=20_000, tilt=0.2)
    assert finding(large, "equalized_odds_difference", max=0.1).verdict is Verdict.PASS
    found = finding(tilted, "equalized_odds_difference", max=0.1)
    assert found.verdict is Verdict.FAIL
    assert found.comparisons == 2
    assert "equalized odds" in found.message
    one = {**tilted, "d": np.where(tilted["y"] == 1, large["d"][: len(tilted["y"])] * 0, tilted["d"])}
    found = finding(one, "equalized_odds_difference", max=0.1)
    assert found.verdict is Verdict.FAIL
    assert "false positive rate" in found.message


def test_treatment_equality_compares_the_share_of_errors_that_are_misses() -> None:
    cells = table(6, levels=2)
    found = finding(cells, "treatment_equality_difference").subject
    shares = []
    for g in ("g0", "g1"):
        mine = cells["g"] == g
        fn = int(((cells["y"] == 1) & (cells["d"] == 0) & mine).sum())
        fp = int(((cells["y"] == 0) & (cells["d"] == 1) & mine).sum())
        shares.append(fn / (fn + fp))
    assert isinstance(found, Measurement)
    assert found.value == pytest.approx(abs(shares[0] - shares[1]), abs=1e-12)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), tilt=st.sampled_from([0.0, 0.1, 0.3]))
def test_a_named_comparison_of_one_measure_is_judged_as_that_measure_is(seed: int, tilt: float) -> None:
    cells = table(seed, tilt=tilt)
    named = finding(cells, "demographic_parity_difference", max=0.1)
    plain = finding(cells, "selection_rate", compare="difference", max=0.1)
    assert named.verdict is plain.verdict
    assert named.comparison == plain.comparison


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"min": 0.1}, "never negative"),
        ({"max": 0.1, "by": []}, "give by"),
        ({"min": 0.5, "compare": "ratio"}, "leave compare"),
        ({"regress": 0.1}, "no regress"),
    ],
)
def test_what_a_named_comparison_cannot_mean_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        finding(table(1), "demographic_parity_difference", **more)


def test_a_group_without_positives_keeps_equal_opportunity_open_where_fairlearn_reports_a_gap_of_one() -> None:
    cells = table(7, levels=2, n=4000)
    cells["y"] = np.where(cells["g"] == "g1", 0, cells["y"])
    found = finding(cells, "equal_opportunity_difference", max=0.1)
    assert found.verdict is Verdict.NOT_ASSESSED


def test_the_id_says_once_how_groups_are_compared() -> None:
    assert (
        measure_id("equalized_odds_difference", ("race",), "difference", {}, "test") == "equalized_odds_difference@race"
    )
    assert measure_id("selection_rate", ("race",), "difference", {}, "test") == "selection_rate/difference@race"
