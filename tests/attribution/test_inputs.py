"""The two inputs: which rows are explained and why."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from audit.data.dataset import Roles
from audit.errors import Unavailable
from audit.inputs.explained_maps import chosen_rows, explained_maps
from audit.inputs.explanations import affordable_rows, explanations, local_rows
from audit.inputs.image_explanations import image_explanations
from audit.inputs.predictions import Predictions

from .worlds import Classes, Value, cnn, images, matrix, network, numbers, table


def predicted(probability=None, label=None, value=None, task="binary"):
    classes = () if task == "regression" else ("no", "yes", "maybe")[: probability.shape[1]]
    decision = value if task == "regression" else probability.argmax(axis=1).astype(np.int32)
    score = probability[:, 1] if task == "binary" else None
    return Predictions(
        task=task,
        classes=classes,
        label=label,
        decision=decision,
        probability=probability,
        score=score,
        score_is_probability=True,
        positive=1,
        favourable=1,
        not_finite=0,
    )


def case(positive="yes", threshold=None, task="binary", **datasets):
    model = SimpleNamespace(threshold=threshold)
    spec = SimpleNamespace(model=model)
    return SimpleNamespace(datasets=datasets, positive=positive, threshold=threshold, task=task, spec=spec)


def binary(p, label):
    return predicted(np.column_stack([1 - np.array(p), p]), np.array(label, dtype=np.int32))


def test_the_four_rows_are_the_surest_wrong_the_surest_right_the_closest_and_the_surest_negative():
    found = binary([0.99, 0.9, 0.52, 0.05, 0.2], [0, 1, 1, 0, 0])
    rows = dict(local_rows(found, np.arange(5), 0.5))
    assert rows == {
        0: "the surest wrong prediction",
        3: "the surest right prediction",
        2: "the closest decision",
        4: "the surest negative prediction",
    }


def test_the_threshold_decides_which_decision_is_closest():
    found = binary([0.99, 0.9, 0.52, 0.05, 0.2], [1, 1, 1, 0, 0])
    assert {why: row for row, why in local_rows(found, np.arange(5), 0.2)}["the closest decision"] == 4


def test_regression_shows_the_largest_errors_and_the_extremes():
    value, label = np.array([1.0, 2.0, 3.0, 9.0, 5.0]), np.array([1.0, 7.0, -8.0, 9.5, np.nan])
    found = predicted(value=value, label=label, task="regression")
    rows = dict(local_rows(found, np.arange(5), 0.5))
    assert rows[2].endswith("too high")
    assert rows[1].endswith("too low")
    assert rows[3] == "the highest prediction"
    assert rows[0] == "the lowest prediction"


def test_without_labels_and_with_few_rows_no_row_is_shown_twice():
    found = predicted(np.array([[0.2, 0.8], [0.6, 0.4]]))
    rows = [row for row, _ in local_rows(found, np.arange(2), 0.5)]
    assert sorted(rows) == [0, 1]


def sigmoid(columns):
    p = 1 / (1 + np.exp(-matrix(columns).sum(axis=1)))
    return np.column_stack([1 - p, p])


def test_a_sample_is_explained_over_the_training_rows_and_sensitive_features_are_named():
    roles = Roles(features=("x0", "x1", "x2"), groups=("x1", "region"))
    data = table(numbers(500, 3), roles=roles)
    train = table(numbers(300, 3, 1), name="train", roles=roles)
    probability = sigmoid({n: data.features[n] for n in roles.features})
    model = Classes(sigmoid)
    predictions = predicted(probability, (probability[:, 1] > 0.6).astype(np.int32))
    found = explanations(case(train=train), model, data, predictions, seed=1)
    assert found.overall.n == 200
    assert "of train" in found.overall.value_function
    assert found.sensitive == ("x1",)
    assert len(found.chosen) == found.local.n == 4
    chosen = [row.row for row in found.chosen]
    np.testing.assert_allclose(found.local.output, np.log(probability[chosen, 1] / probability[chosen, 0]), atol=1e-9)
    assert found.chosen[0].values[0] == f"{data.features['x0'][chosen[0]]:.4g}"


def test_rows_whose_prediction_is_missing_are_not_explained():
    data = table(numbers(6, 2))
    value = matrix(data.features).sum(axis=1)
    value[2] = np.nan
    predictions = predicted(value=value, task="regression")
    found = explanations(case(None), Value(lambda c: matrix(c).sum(axis=1)), data, predictions, seed=1)
    assert found.overall.n == 5
    with pytest.raises(Unavailable, match="no row has a usable"):
        explanations(case(None), Value(matrix), data, predicted(value=np.full(6, np.nan), task="regression"), seed=1)


def test_a_wide_table_is_explained_by_fewer_rows():
    assert affordable_rows(15) == 200
    assert 30 <= affordable_rows(2000) < affordable_rows(300) <= 200


def test_images_are_wrong_first_and_spread_over_the_classes():
    decision = np.repeat(np.arange(3), 20)
    probability = np.eye(3)[decision]
    label = decision.copy()
    label[[1, 2, 25, 30, 45]] = (label[[1, 2, 25, 30, 45]] + 1) % 3
    found = predicted(probability, label.astype(np.int32), task="multiclass")
    rows = chosen_rows(found, 60, seed=0)
    assert len(rows) == len(set(rows.tolist())) == 8
    assert (label[rows[:3]] != decision[rows[:3]]).all()
    assert set(decision[rows[:3]]) == {0, 1, 2}
    assert (label[rows[3:]] == decision[rows[3:]]).all()
    np.testing.assert_array_equal(rows, chosen_rows(found, 60, seed=0))


def test_image_explanations_carry_the_true_class_of_each_row():
    data = images(20)
    model = network(cnn(), classes=["0", "1", "2"])
    probability = model.predict_proba(data.features)
    label = data.numbers("label").astype(np.int32)
    predictions = replace(predicted(probability, label, task="multiclass"), classes=("0", "1", "2"))
    found = image_explanations(explained_maps(case(None), model, data, predictions, seed=0))
    assert found.labels == tuple(str(label[row]) for row in found.rows)
    assert found.explanation.targets == tuple(str(probability[row].argmax()) for row in found.rows)
