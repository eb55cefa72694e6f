"""A replayed part scales up to the whole that a full run takes; what cannot be replayed says why."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from audit.energy.ladder import from_record
from audit.energy.ranges import Range, combined
from audit.energy.refit import EXPONENTS, IRREGULAR_RANGE, exponent, replay_fit
from audit.energy.replay import STEPS_RANGE, WHOLE_RANGE, Replay, recorded, replay_steps, replayed
from audit.errors import ModelError, Unavailable
from tests.energy.trees import HOST, a_record


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def steps(count: int, cost_s: float = 0.0) -> Iterator[None]:
    for _ in range(count):
        busy(cost_s)
        yield


def table(rows: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((rows, 4)), columns=list("abcd"))
    return X, (X["a"] + rng.standard_normal(rows) > 0).to_numpy()


def test_a_recipe_that_ends_is_the_whole_training() -> None:
    replay = replay_steps(lambda columns: steps(20, 0.005), {}, "train.py:fit", total_steps=None)
    assert replay.whole
    assert replay.scale == pytest.approx(20 / 17)  # three steps were the warm-up
    assert replay.cpu_s == pytest.approx(0.1, rel=0.5)


def test_a_recipe_shorter_than_its_warm_up_is_run_from_its_start() -> None:
    replay = replay_steps(lambda columns: steps(2, 0.01), {}, "train.py:fit", total_steps=None)
    assert (replay.whole, replay.scale) == (True, 1.0)


def test_a_long_recipe_is_stopped_and_scaled_to_the_steps_of_the_training() -> None:
    replay = replay_steps(lambda columns: steps(10**9, 0.002), {}, "fit", total_steps=1000, budget_s=0.2)
    assert replay.range == STEPS_RANGE
    assert replay.cpu_s == pytest.approx(1000 * 0.002, rel=0.5)
    assert "1000 training steps run again" in replay.method


def test_several_trials_cost_as_many_times_one() -> None:
    replay = replay_steps(lambda columns: steps(5), {}, "fit", total_steps=None, trials=7)
    assert replay.scale == pytest.approx(7 * 5 / 2)
    assert "7 trainings of this size" in replay.assumptions


def test_a_recipe_of_unknown_length_that_does_not_end_is_an_omission() -> None:
    with pytest.raises(Unavailable, match="how many the training had is not known") as caught:
        replay_steps(lambda columns: steps(10**9), {}, "fit", total_steps=None, budget_s=0.05)
    assert "batch" in caught.value.remedy


def test_a_recipe_that_is_no_generator_says_what_to_write() -> None:
    with pytest.raises(ModelError, match=r'put "yield" after optimiser.step'):
        replay_steps(lambda columns: columns, {}, "train.py:fit", total_steps=10)


def test_a_recipe_without_a_step_is_an_omission() -> None:
    with pytest.raises(Unavailable, match="made no step"):
        replay_steps(lambda columns: steps(0), {}, "fit", total_steps=None)


def test_the_energy_is_that_of_the_part_times_the_scale_with_both_ranges() -> None:
    part = a_record(host=HOST)
    replay = Replay(record=part, scale=50.0, range=STEPS_RANGE, method="m")
    for whole in replayed(replay):
        one = next(item for item in from_record(part) if item.boundary == whole.boundary)
        assert whole.rung == "replayed"
        assert whole.value_kwh == pytest.approx(50 * one.value_kwh)
        around = combined([one.range, STEPS_RANGE])
        assert (whole.range.lower, whole.range.upper) == pytest.approx((around.lower, around.upper))
        assert any("a machine like this one" in words for words in whole.assumptions)


def test_a_quick_model_is_fitted_again_whole_and_stays_untouched() -> None:
    X, y = table()
    model = RandomForestClassifier(20, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    replay = replay_fit(model, X, y, seed=1)
    assert (replay.range, replay.scale) == (WHOLE_RANGE, 1.0)
    assert "600 of 600 rows" in replay.method
    assert np.array_equal(model.predict_proba(X), before)


class Slow(LogisticRegression):
    """Takes CPU time in proportion to its rows."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Slow:  # type: ignore[override]
        busy(len(X) * 2e-5)
        self.fitted_ = True
        return self


def test_a_slow_model_is_fitted_to_growing_parts_and_scaled_up() -> None:
    rows = 200_000
    X, y = pd.DataFrame({"a": np.zeros(rows)}), np.arange(rows) % 2
    replay = replay_fit(Slow(), X, y, seed=1, budget_s=0.4)
    assert not replay.whole
    assert replay.range == Range(lower=0.5, upper=2.0)
    assert 0.5 < replay.cpu_s / (rows * 2e-5) < 2


def test_a_kernel_machine_has_a_wider_range() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4000, 5)), rng.integers(0, 2, 4000)
    assert replay_fit(SVC(), X, y, seed=1, budget_s=1e-3).range == IRREGULAR_RANGE


def test_a_search_is_the_sum_of_the_fits_that_it_timed() -> None:
    X, y = table(200)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3).fit(X, y)
    replay = replay_fit(search, X, y, seed=1)
    expected = search.cv_results_["mean_fit_time"].sum() * 3 + search.refit_time_
    assert replay.cpu_s == pytest.approx(expected)
    assert "2 x 3 fits of the search" in replay.method


def test_rows_that_a_clone_refuses_are_an_omission() -> None:
    X, _ = table(50)
    with pytest.raises(Unavailable, match="cannot be fitted"):
        replay_fit(LogisticRegression(), X, np.zeros(50), seed=1)


@given(st.floats(0.8, 2.3), st.floats(1e-6, 1e-2))
def test_a_power_law_is_found_again(power: float, scale: float) -> None:
    rows = [500, 1000, 2000, 4000]
    assert exponent(rows, [scale * n**power for n in rows]) == pytest.approx(power)


@pytest.mark.parametrize(("seconds", "wanted"), [([1.0, 1.0, 1.0], EXPONENTS[0]), ([1.0, 100.0, 1e4], EXPONENTS[1])])
def test_an_exponent_stays_between_what_fits_can_have(seconds: list[float], wanted: float) -> None:
    assert exponent([500, 1000, 2000], seconds) == wanted
    assert exponent([500], [1.0]) == EXPONENTS[1]


def test_a_replay_without_any_cpu_time_still_has_a_figure_from_idle_power() -> None:
    idle = replace(a_record(host=HOST), cpu_s=0.0, machine_busy_s=0.0)
    assert replayed(Replay(record=idle, scale=2.0, range=WHOLE_RANGE, method="m"))[0].value_kwh > 0


class Runtime:
    """torch.cuda as a replay sees it."""

    def __init__(self, *, there: bool, used: bool) -> None:
        self.there, self.used, self.waits = there, used, 0

    def is_available(self) -> bool:
        return self.there

    def is_initialized(self) -> bool:
        return self.used

    def synchronize(self) -> None:
        self.waits += 1


@pytest.mark.parametrize(("there", "used", "waits"), [(True, True, 1), (True, False, 0), (False, False, 0)])
def test_a_record_ends_when_the_gpu_has_done_what_it_was_given(
    monkeypatch: pytest.MonkeyPatch, there: bool, used: bool, waits: int
) -> None:
    cuda = Runtime(there=there, used=used)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    recorded(lambda: None)
    assert cuda.waits == waits
