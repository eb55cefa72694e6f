"""The plan of limits on a change, against the kernel that the verdicts use, and as audit check says it."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.case import Question
from audit.cli._paired_power import most_churn, plan_paired
from audit.data.memory import as_table
from audit.data.opening import dataset_from_table
from audit.policy.limits import Limit
from audit.spec import DataSpec
from audit.stats import interval, paired_difference
from tests.cli.conftest import Call

BINARY = Question(task="binary", classes=("0", "1"), positive="1", favourable="1")
Z2 = NormalDist().inv_cdf(0.975) ** 2


def planned(limit: Limit, groups: list[str], labels: list[int | None], question: Question = BINARY):  # type: ignore[no-untyped-def]
    table = as_table({"g": groups, "y": labels}, "test")
    data = dataset_from_table("test", table, DataSpec(path="", target="y", groups=("g",)), {}, root=Path())
    (plan,) = plan_paired([limit], data, question, min_n=1, confidence=0.95)
    return plan


@given(st.integers(10, 5000), st.floats(0.005, 0.3))
def test_two_equal_models_pass_from_the_needed_rows_on_and_not_below(n: int, allowed: float) -> None:
    limit = Limit(measure="accuracy_change_from_baseline", min=-allowed)
    plan = planned(limit, ["a"] * 3, [0, 1, 1])
    inside = interval(paired_difference(n, 0, 0, 0), 0.95).lower >= -allowed - 1e-9
    assert inside == (n >= plan.needed)


@given(st.integers(100, 20_000), st.floats(0.01, 0.2))
def test_the_churn_that_is_allowed_is_where_the_interval_touches_the_limit(n: int, allowed: float) -> None:
    churn = most_churn(n, allowed, Z2, 1)
    assert churn is not None
    if 0 < churn < 1:
        at = interval(paired_difference(n * (1 - churn), n * churn / 2, n * churn / 2, 0), 0.95)
        assert at.lower == pytest.approx(-allowed, abs=1e-7)
        assert at.upper == pytest.approx(allowed, abs=1e-7)


def test_a_group_below_the_needed_rows_is_named_and_cannot_pass() -> None:
    limit = Limit(measure="accuracy_change_from_baseline", by=("g",), min=-0.02)
    plan = planned(limit, ["few"] * 100 + ["many"] * 1000, [0, 1] * 550)
    assert plan.needed == 189
    assert [(dict(g.group)["g"], g.n, g.churn is None) for g in plan.groups] == [
        ("few", 100, True),
        ("many", 1000, False),
    ]
    assert not plan.can_pass
    assert "takes 189 labelled rows at least; g = few has 100" in plan.words


@pytest.mark.parametrize(("measure", "n"), [
    ("true_positive_rate_change_from_baseline", 40), ("false_positive_rate_change_from_baseline", 60),
    ("accuracy_change_from_baseline", 100), ("variant_selection_rate_change", 110),
])  # fmt: skip
def test_the_rows_counted_are_those_that_the_rate_is_about(measure: str, n: int) -> None:
    plan = planned(Limit(measure=measure, max=0.2, min=-0.2), ["a"] * 110, [1] * 40 + [0] * 60 + [None] * 10)
    assert [group.n for group in plan.groups] == [n]


def test_of_several_classes_the_labelled_rows_are_counted() -> None:
    several = Question(task="multiclass", classes=("0", "1", "2"), positive=None, favourable=None)
    plan = planned(
        Limit(measure="accuracy_change_from_baseline", min=-0.1), ["a"] * 60, [0, 1, 2] * 19 + [None] * 3, several
    )
    assert plan.groups[0].n == 57


def test_a_limit_that_asks_for_a_gain_has_no_number_of_rows() -> None:
    plan = planned(Limit(measure="accuracy_change_from_baseline", min=0.01), ["a"] * 60, [0, 1] * 30)
    assert plan.needed is None
    assert "asks for a change" in plan.words


def test_check_says_what_a_paired_limit_takes_and_which_cannot_be_planned(vendor: Path, call: Call) -> None:
    spec = (vendor / "audit.toml").read_text()
    first = spec.partition("[[limit]]")[0]
    given = first.replace("[data.test]", '[data.test]\nbaseline = { score = "score", threshold = 0.5 }')
    limits = "".join(
        f'[[limit]]\nmeasure = "{name}_change_from_baseline"\nby = ["race"]\nmin = -0.05\nwhy = "so"\n'
        for name in ("accuracy", "roc_auc")
    )
    (vendor / "audit.toml").write_text(given + limits)
    found = call("check")
    assert found.code == 0, found.err
    assert "baseline score" in found.out
    assert "accuracy_change_from_baseline@race at least" in found.out
    assert "roc_auc_change_from_baseline@race: cannot be planned before both models have answered" in found.out
    plan = call("check", "--json").json()
    assert [entry["needed"] for entry in plan["paired"]] == [73]
    assert plan["unplanned"] == ["roc_auc_change_from_baseline@race"]
