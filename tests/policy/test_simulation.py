"""How often verdicts are wrong, by simulation with fixed seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import audit
from audit.policy import Limit, Verdict
from audit.policy.judge import judge
from audit.results import Measurement, Record
from tests.policy.worlds import a_limit, a_record, measurements, rules

SHARES = {"race": (0.8, 0.12, 0.08), "sex": (0.6, 0.4), "age": (0.3, 0.3, 0.2, 0.2)}
LIMITS = tuple(
    a_limit(measure, by=(column,), compare=compare, **bound)
    for measure in ("accuracy", "selection_rate")
    for column in SHARES
    for compare, bound in (("difference", {"max": 0.0}), ("ratio", {"min": 1.0}))
)
"""Every fair model lies on the edge of these: any failure is a false one."""


def table(rng: np.random.Generator, rates: dict[str, Sequence[float]], n: int = 2000) -> Record:
    """Rates of two measures by group; rows are shared between columns as in a real table."""
    found: list[Measurement] = []
    for measure, level in (("accuracy", 0.85), ("selection_rate", 0.4)):
        groups = {c: rng.choice(len(s), n, p=s) for c, s in SHARES.items()}
        shift = sum(np.asarray(rates.get(c, [0.0] * len(s)))[groups[c]] for c, s in SHARES.items())
        hit = rng.random(n) < level + shift
        for column, codes in groups.items():
            cells: dict[str | None, Any] = {f"g{i}": _counted(hit[codes == i]) for i in range(len(SHARES[column]))}
            found += measurements(measure, cells, column)
    return a_record(found)


def _counted(hit: Any) -> tuple[float, float]:
    return float(hit.sum()), float(hit.size)


def share_of(verdict: Verdict, limits: Sequence[Limit], tables: Sequence[Record]) -> float:
    """Share of the tables on which some limit has this verdict."""
    return float(np.mean([any(f.verdict is verdict for f in judge(limits, [t], rules())) for t in tables]))


def at_most(share: float, times: int) -> float:
    """``share`` and three standard errors of its simulation."""
    return share + 3 * math.sqrt(share * (1 - share) / times)


@pytest.mark.parametrize("times", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_fair_model_fails_a_family_of_limits_at_most_once_in_twenty(times: int) -> None:
    rng = np.random.default_rng(1)
    tables = [table(rng, {}) for _ in range(times)]
    assert share_of(Verdict.FAIL, LIMITS, tables) <= at_most(0.05, times)


@pytest.mark.parametrize("times", [300, pytest.param(5000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("n", [400, 4000])
def test_a_model_on_the_limit_passes_at_most_once_in_forty(times: int, n: int) -> None:
    """A gap of exactly the limit, two groups: the pass is false, and rare."""
    rng = np.random.default_rng(2)
    limit = a_limit(by=("sex",), compare="difference", max=0.1)
    counts = np.column_stack([rng.binomial(n, 0.6, times), rng.binomial(n, 0.5, times)])
    tables = [a_record(measurements("accuracy", {"f": (a, n), "m": (b, n)})) for a, b in counts.tolist()]
    assert share_of(Verdict.PASS, [limit], tables) <= at_most(0.025, times)


def passing(rates: Sequence[float], sizes: Sequence[int], times: int) -> float:
    """Share of tables that pass a limit of 0.1 on the gap, where comparisons without power are only listed."""
    rng = np.random.default_rng(6)
    limit = a_limit(by=("sex",), compare="difference", max=0.1, underpowered="list")
    counts = rng.binomial(sizes, rates, (times, len(sizes))).tolist()
    cells = [{f"g{i}": (k, n) for i, (k, n) in enumerate(zip(row, sizes, strict=True))} for row in counts]
    return share_of(Verdict.PASS, [limit], [a_record(measurements("accuracy", one)) for one in cells])  # type: ignore[arg-type]


@pytest.mark.parametrize("times", [250, pytest.param(4000, marks=pytest.mark.slow)])
def test_a_gap_on_the_limit_does_not_pass_because_its_groups_have_just_too_few_rows_for_power(times: int) -> None:
    assert passing([0.3, 0.35, 0.4], [500] * 3, times) <= at_most(0.03, times)


@pytest.mark.parametrize("times", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_nine_in_ten_models_without_a_gap_pass_with_small_groups_set_aside(times: int) -> None:
    assert passing([0.3] * 3, [2000, 2000, 60], times) >= 0.9
    assert passing([0.3] * 5, [4000, 3000, 90, 60, 40], times) >= 0.9


@pytest.mark.parametrize("times", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_one_rate_on_the_limit_passes_at_most_once_in_forty(times: int) -> None:
    rng = np.random.default_rng(3)
    tables = [a_record(measurements("accuracy", {"": (k, 900)})) for k in rng.binomial(900, 0.7, times).tolist()]
    assert share_of(Verdict.PASS, [a_limit(min=0.7)], tables) <= at_most(0.025, times)


def test_a_gap_of_twice_the_limit_is_found() -> None:
    rng = np.random.default_rng(4)
    limit = a_limit(by=("sex",), compare="difference", max=0.1)
    tables = [table(rng, {"sex": (-0.2, 0.0)}) for _ in range(60)]
    assert share_of(Verdict.FAIL, [limit], tables) >= 0.95


def healthy(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Predictions alone: calibrated, good, and the same for every group of three columns."""
    risk = rng.beta(1.2, 1.8, n)
    groups = {name: rng.choice([f"g{i}" for i in range(len(s))], n, p=s) for name, s in SHARES.items()}
    return {"outcome": (rng.random(n) < risk).astype(int), "score": risk, **groups}


@pytest.mark.parametrize("times", [6, pytest.param(120, marks=pytest.mark.slow)])
def test_a_healthy_model_is_let_through_by_the_default_pack(times: int) -> None:
    rng = np.random.default_rng(5)
    codes = [
        audit.run(None, healthy(rng, 2000), target="outcome", score="score", groups=list(SHARES)).exit_code
        for _ in range(times)
    ]
    assert codes.count(0) >= 0.9 * times
    assert codes.count(1) <= 0.05 * times
