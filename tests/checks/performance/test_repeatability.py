"""A model that gives the same row another answer when asked again is counted, and fails the default limits."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from audit import TorchModel
from audit.models.wrapping import wrap
from audit.results import Reason
from tests.worlds.tables import make_case, measurement, run_check

X = np.linspace(-2, 2, 1200)
LABELS = np.where(X > 0, "yes", "no")


def counted(model: object, y: object = LABELS, positive: str | None = "yes") -> tuple[float, int]:
    case = make_case({"x": X, "y": y}, target="y", positive=positive, features=["x"], model=model)
    found = measurement(run_check(case, "performance.repeatability"), "answers_not_repeated")
    assert found.interval.kind == "exact"
    return found.value, found.n


def test_a_model_that_treats_rows_alone_repeats_itself() -> None:
    assert counted(LogisticRegression().fit(X[:, None], LABELS)) == (0, 100)
    assert counted(LinearRegression().fit(X[:, None], 1e6 * X), 1e6 * X, None) == (0, 100)


def test_a_network_with_dropout_that_is_always_on_does_not() -> None:
    class Always(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(x.repeat(1, 2), 0.5, training=True)

    def encode(columns: object) -> torch.Tensor:
        return torch.tensor(np.asarray(columns["x"], dtype=np.float32))[:, None]  # type: ignore[index]

    value, n = counted(TorchModel(Always(), encode=encode, classes=("no", "yes"), output="logit"))
    assert n == 100
    assert value > 50


def test_a_score_that_depends_on_the_rows_beside_it_is_not_repeated() -> None:
    def ranked(frame: object) -> object:
        return frame["x"].rank().to_numpy()  # type: ignore[index]

    assert counted(wrap(ranked, output="value"), X, None)[0] >= 99


def test_a_value_that_moves_by_rounding_is_repeated_and_one_that_moves_by_more_is_not() -> None:
    def drifting(step: float) -> object:
        calls = iter(range(100))
        return wrap(lambda frame: 1000 * (1 + step * next(calls)) + 0 * frame["x"].to_numpy(), output="value")

    assert counted(drifting(1e-7), X, None)[0] == 0
    assert counted(drifting(1e-2), X, None)[0] == 100


def test_missing_answers_are_the_same_when_they_are_missing_again() -> None:
    def odd(frame: object) -> object:
        x = frame["x"].to_numpy()  # type: ignore[index]
        return np.where(x > 1.5, np.nan, x)

    assert counted(wrap(odd, output="value"), X, None)[0] == 0


def test_stored_predictions_cannot_be_asked_again() -> None:
    case = make_case({"y": [0, 1], "s": [0.1, 0.9]}, target="y", positive=1, score="s")
    (missing,) = run_check(case, "performance.repeatability").omissions
    assert missing.reason is Reason.MISSING_INPUT
