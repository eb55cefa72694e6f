"""Rows without a usable prediction are counted; known answers are compared with what the model gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from audit.results import Outcome, Reason
from tests.worlds.tables import make_case, measurement, run_check

X = np.linspace(-2, 2, 40)
CLASSIFIER = LogisticRegression().fit(X[:, None], np.where(X > 0, "yes", "no"))
LINE = LinearRegression().fit(X[:, None], 3 * X + 1)


@pytest.mark.parametrize("bad", [0, 1, 7])
def test_scores_that_are_nan_infinite_or_missing_are_counted(bad: int) -> None:
    s = [None, np.nan, np.inf, -np.inf, np.nan, None, np.inf][:bad] + [0.3, 0.7] * 5
    case = make_case({"y": [0, 1] * 5 + [0] * bad, "s": s}, target="y", positive=1, score="s", threshold=0.5)
    found = measurement(run_check(case, "performance.failures"), "prediction_failures")
    assert (found.value, found.n, found.unit) == (bad, 10 + bad, "rows")
    assert found.interval.kind == "exact"


def test_a_model_that_returns_nan_for_some_rows_is_counted_and_not_crashed_on() -> None:
    def odd(frame: object) -> object:
        x = frame["x"].to_numpy()  # type: ignore[index]
        return np.where(x > 1.5, np.nan, 2 * x)

    from audit.models.wrapping import wrap

    case = make_case({"x": X, "y": X}, target="y", features=["x"], model=wrap(odd, output="value"))
    assert measurement(run_check(case, "performance.failures"), "prediction_failures").value == (X > 1.5).sum()


def known(answers: list[object], x: list[float], model: object = CLASSIFIER) -> Outcome:
    y: object = np.where(X > 0, "yes", "no") if model is CLASSIFIER else 3 * X + 1
    positive = "yes" if model is CLASSIFIER else None
    case = make_case(
        {"x": X, "y": y}, target="y", positive=positive, features=["x"], model=model, known={"x": x, "y": answers}
    )
    return run_check(case, "performance.known_answers")


def test_answers_that_the_model_gives_are_right_and_others_are_counted_wrong() -> None:
    outcome = known(["yes", "no", "no"], [1.5, -1.5, 1.0])
    assert measurement(outcome, "known_answers_wrong").value == 1
    share = measurement(outcome, "known_answers_right")
    assert (share.value, share.n, share.interval.kind) == (pytest.approx(2 / 3), 3, "exact")


def test_a_quantity_may_differ_by_rounding_and_not_by_more() -> None:
    answers: list[object] = [4.0 * (1 + 1e-7), 7.0 * (1 + 1e-3), 1.0]
    assert measurement(known(answers, [1.0, 2.0, 0.0], LINE), "known_answers_wrong").value == 1


def test_an_answer_of_zero_may_be_missed_by_rounding() -> None:
    line = LinearRegression().fit(X[:, None], 3 * X + 0.3)
    outcome = known([0.0, 6.3], [-0.1, 2.0], line)
    assert measurement(outcome, "known_answers_wrong").value == 0


def test_rows_without_an_answer_are_left_out_and_none_at_all_is_an_omission() -> None:
    assert measurement(known(["yes", None], [1.5, 0.5]), "known_answers_wrong").n == 1
    outcome = known([None, None], [1.5, 0.5])
    assert [o.reason for o in outcome.omissions] == [Reason.UNDEFINED] * 2
    assert outcome.measurements == ()


def test_without_known_rows_the_plan_says_what_to_give() -> None:
    case = make_case({"y": [0, 1], "s": [0.1, 0.9]}, target="y", positive=1, score="s")
    (missing,) = run_check(case, "performance.known_answers").omissions
    assert (missing.reason, missing.remedy) == (Reason.MISSING_INPUT, "give [data.known] path")
