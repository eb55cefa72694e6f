"""Global importance: the numbers of known contributions, their intervals, and what is withheld."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.attribution import Explanation
from audit.checks.attribution.global_importance import Params, global_importance
from audit.inputs.explanations import Explanations
from audit.results import Ranking, Reason

LEVEL = 0.95


def made(values, *, names=None, sensitive=(), completeness=None):
    values = np.asarray(values, dtype=float)
    n, d = values.shape
    explanation = Explanation(
        names=tuple(names or (f"x{j}" for j in range(d))),
        values=values,
        standard_errors=np.zeros((n, d)),
        base=np.zeros(n),
        output=values.sum(axis=1),
        completeness=np.zeros(n) if completeness is None else np.asarray(completeness, dtype=float),
        targets=("yes",) * n,
        scalar="the log-odds",
        unit="log-odds",
        method="Exact",
        value_function="interventional",
        background_n=9,
        evaluations=99,
        seed=1,
    )
    return Explanations(overall=explanation, local=explanation, chosen=(), sensitive=tuple(sensitive))


def draws(n=200, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.arange(d, 0, -1)


def by_feature(outcome, name):
    return {m.params.get("feature"): m for m in outcome.measurements if m.name == name}


def test_importance_is_the_mean_absolute_contribution_over_the_rows():
    values = draws()
    found = by_feature(global_importance(made(values), LEVEL), "mean_absolute_attribution")
    for j in range(3):
        one = found[f"x{j}"]
        assert one.value == pytest.approx(np.abs(values[:, j]).mean())
        assert one.interval.lower < one.value < one.interval.upper
        assert (one.unit, one.n, one.columns) == ("log-odds", 200, (f"x{j}",))


def test_the_ranking_is_sorted_and_its_intervals_hold_together_so_they_are_wider():
    outcome = global_importance(made(draws()), LEVEL)
    ranking = next(e for e in outcome.evidence if isinstance(e, Ranking))
    assert [item.label for item in ranking.items] == ["x0", "x1", "x2"]
    for item in ranking.items:
        alone = by_feature(outcome, "mean_absolute_attribution")[item.label].interval
        assert item.lower < alone.lower
        assert item.upper > alone.upper


def test_the_ranking_covers_all_columns_at_once_as_often_as_it_says():
    truth = np.sqrt(2 / np.pi) * np.arange(3, 0, -1)
    hits = []
    for seed in range(200):
        outcome = global_importance(made(draws(150, 3, seed)), LEVEL)
        ranking = next(e for e in outcome.evidence if isinstance(e, Ranking))
        bounds = {item.label: (item.lower, item.upper) for item in ranking.items}
        hits.append(all(bounds[f"x{j}"][0] <= truth[j] <= bounds[f"x{j}"][1] for j in range(3)))
    assert np.mean(hits) >= 0.91


def test_a_sensitive_columns_share_is_its_part_of_all_contributions():
    values = draws()
    outcome = global_importance(made(values, sensitive=("x1",)), LEVEL)
    share = by_feature(outcome, "sensitive_attribution_share")["x1"]
    assert share.value == pytest.approx(np.abs(values[:, 1]).sum() / np.abs(values).sum())
    assert 0 < share.interval.lower < share.value < share.interval.upper < 1
    assert not [o for o in outcome.omissions if o.name == "sensitive_attribution_share"]


def test_the_share_without_a_feature_is_that_of_all_sensitive_columns_together():
    shares = by_feature(global_importance(made(draws(), sensitive=("x1", "x2")), LEVEL), "sensitive_attribution_share")
    assert set(shares) == {None, "x1", "x2"}
    assert shares[None].value == pytest.approx(shares["x1"].value + shares["x2"].value)


def test_without_a_sensitive_feature_the_share_is_not_applicable_and_warns_of_proxies():
    (omission,) = global_importance(made(draws()), LEVEL).omissions
    assert omission.reason is Reason.NOT_APPLICABLE
    assert "stand in" in omission.detail


def test_rows_that_do_not_add_up_are_left_out_and_counted():
    values = draws()
    values[:10] *= 1000
    errors = np.where(np.arange(200) < 10, 0.2, 0.001)
    outcome = global_importance(made(values, completeness=errors), LEVEL)
    one = by_feature(outcome, "mean_absolute_attribution")["x0"]
    assert one.n == 190
    assert one.value == pytest.approx(np.abs(values[10:, 0]).mean())
    assert "10 of 200 rows" in next(o for o in outcome.omissions if o.reason is Reason.WITHHELD).detail
    median = outcome.measurements[-1]
    assert (median.value, median.n, median.interval.kind) == (0.001, 200, "exact")


def test_when_no_row_adds_up_nothing_is_ranked():
    outcome = global_importance(made(draws(), completeness=np.ones(200)), LEVEL)
    assert not by_feature(outcome, "mean_absolute_attribution")
    assert not any(isinstance(e, Ranking) for e in outcome.evidence)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_equal_rows_are_an_omission_not_a_zero_width_interval(n):
    outcome = global_importance(made(np.ones((n, 2)), sensitive=("x0",)), LEVEL)
    assert not by_feature(outcome, "mean_absolute_attribution")
    assert {o.reason for o in outcome.omissions} == {Reason.INSUFFICIENT_DATA}


def test_a_limit_may_ask_for_one_feature_and_a_wrong_name_is_said_with_the_nearest():
    given = made(draws(), names=("income", "age", "<b>"))
    outcome = global_importance(given, LEVEL, Params(feature="age"))
    assert [m.params["feature"] for m in outcome.measurements] == ["age"]
    wrong = global_importance(given, LEVEL, Params(feature="incom"))
    assert any('did you mean "income"?' in o.detail for o in wrong.omissions)


def test_a_very_wide_table_keeps_its_hundred_largest_columns_and_every_sensitive_one():
    values = draws(60, 130)
    outcome = global_importance(made(values, sensitive=("x129",)), LEVEL)
    assert len(by_feature(outcome, "mean_absolute_attribution")) == 100
    assert "x129" in by_feature(outcome, "sensitive_attribution_share")


def test_the_order_of_rows_changes_nothing():
    values = draws()
    first, second = (global_importance(made(v), LEVEL) for v in (values, values[::-1]))
    for a, b in zip(first.measurements, second.measurements, strict=True):
        assert replace(a, interval=b.interval, basis=b.basis, value=b.value) == b
        assert (a.value, a.interval.lower) == pytest.approx((b.value, b.interval.lower))
