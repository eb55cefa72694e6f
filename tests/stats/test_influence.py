"""Compound measures of weighted and clustered rows: scikit-learn's values, and standard errors that hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import (
    auc,
    f1_influence,
    interval,
    linearised,
    mean_influence,
    value,
    weighted_auc,
    weighted_balanced_accuracy,
    weighted_f1,
    weighted_r_squared,
    weighted_root_mean,
)

World = dict[str, Any]


def world(seed: int, n: int = 400) -> World:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    k = rng.integers(0, 3, n).astype(np.int32)
    d = np.where(rng.random(n) < 0.6, k, rng.integers(0, 3, n)).astype(np.int32)
    s = np.round(rng.normal(y, 1.0), 1)
    t = rng.normal(size=n)
    return {
        "y": y,
        "s": s,
        "c": (s > 0.5),
        "k": k,
        "d": d,
        "t": t,
        "p": t + rng.normal(size=n),
        "w": rng.lognormal(size=n),
    }


MEASURES: dict[str, tuple[Callable[..., Basis], Callable[..., float]]] = {
    "auc": (
        lambda x, w, c: weighted_auc(x["s"], x["y"], w, c),
        lambda x, w: metrics.roc_auc_score(x["y"], x["s"], sample_weight=w),
    ),
    "f1": (
        lambda x, w, c: weighted_f1(x["y"], x["c"], w, c),
        lambda x, w: metrics.f1_score(x["y"], x["c"], sample_weight=w),
    ),
    "macro f1": (
        lambda x, w, c: linearised(
            *mean_influence([f1_influence(x["k"] == k, x["d"] == k, w) for k in range(3)]), w, c, "logit"
        ),
        lambda x, w: metrics.f1_score(x["k"], x["d"], average="macro", sample_weight=w),
    ),
    "balanced accuracy": (
        lambda x, w, c: weighted_balanced_accuracy(x["k"], x["d"], 3, w, c),
        lambda x, w: metrics.balanced_accuracy_score(x["k"], x["d"], sample_weight=w),
    ),
    "rmse": (
        lambda x, w, c: weighted_root_mean((x["t"] - x["p"]) ** 2, w, c),
        lambda x, w: metrics.root_mean_squared_error(x["t"], x["p"], sample_weight=w),
    ),
    "r2": (
        lambda x, w, c: weighted_r_squared(x["t"], x["p"], w, c),
        lambda x, w: metrics.r2_score(x["t"], x["p"], sample_weight=w),
    ),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_value_is_scikit_learns_with_sample_weight(name: str, seed: int) -> None:
    x = world(seed)
    ours, theirs = MEASURES[name]
    assert value(ours(x, x["w"], None)) == pytest.approx(theirs(x, x["w"]), abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_the_standard_error_is_the_jackknifes_over_clusters(name: str) -> None:
    x = world(3, n=600)
    cluster = (np.arange(600) % 60).astype(np.int32)
    ours, theirs = MEASURES[name]
    without = np.array([theirs(x, x["w"] * (cluster != c)) for c in range(60)])
    jackknife = np.sqrt(59 / 60 * ((without - without.mean()) ** 2).sum())
    assert ours(x, x["w"], cluster).numbers["se"] == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("name", MEASURES)
def test_rows_that_stand_twice_in_their_own_cluster_tell_no_more_than_once(name: str) -> None:
    x = world(4, n=200)
    twice = {key: np.repeat(values, 2) for key, values in x.items()}
    ours, _ = MEASURES[name]
    once = ours(x, np.ones(200), None).numbers
    doubled = ours(twice, np.ones(400), np.repeat(np.arange(200), 2)).numbers
    assert doubled["se"] == pytest.approx(once["se"], rel=1e-9)
    assert ours(twice, np.ones(400), None).numbers["se"] < 0.8 * once["se"]


def test_with_equal_weights_the_area_has_delongs_interval() -> None:
    x = world(5, n=2000)
    plain, weighted = interval(auc(x["s"], x["y"]), 0.95), interval(MEASURES["auc"][0](x, np.ones(2000), None), 0.95)
    assert (weighted.lower, weighted.upper) == (
        pytest.approx(plain.lower, abs=1e-3),
        pytest.approx(plain.upper, abs=1e-3),
    )


@pytest.mark.parametrize("name", MEASURES)
def test_two_clusters_say_too_little(name: str) -> None:
    x = world(6)
    with pytest.raises(Unavailable, match="2 clusters say too little"):
        MEASURES[name][0](x, x["w"], np.arange(400) % 2)


def test_a_single_class_has_no_area_and_no_balanced_accuracy() -> None:
    x = world(7)
    for missing in ({"y": np.zeros(400)}, {"k": np.zeros(400, dtype=np.int32)}):
        name = "auc" if "y" in missing else "balanced accuracy"
        with pytest.raises(Unavailable, match=r"class"):
            MEASURES[name][0]({**x, **missing}, x["w"], None)
