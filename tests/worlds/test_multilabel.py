"""A task of several labels: each label is the binary task that it would be alone, whatever the model or the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier

from audit import plan
from audit.case import Case
from audit.engine import Runner, Silent, facts_of, run_audit
from audit.errors import AuditError, DataError, ModelError
from audit.inputs.predictions import Predictions, predictions
from audit.models.torch import TorchModel
from audit.record import Record
from audit.results import Measurement, Outcome, Reason
from tests.worlds.random_tables import LABELS, Cells, binary_cells, multilabel_case, multilabel_cells
from tests.worlds.tables import are_alike, loaded, make_case, measurement, registry

LIMIT = {"measure": "true_positive_rate", "by": ["sex"], "compare": "difference", "max": 0.9}


def recorded(case: Case, wanted: Sequence[str] = ()) -> dict[tuple[str, str], Record]:
    """What each check of cost "predict" or less gives, by check and label."""
    items = plan.make(registry(), facts_of(case), (), ("instant", "predict"))
    items = [item for item in items if item.check.cost in {"instant", "predict"}]
    made, _ = Runner(case=case, registry=registry()).run(items, Silent())
    return {(record.check, str(record.params.get("class", ""))): record for record in made}


def of_one(outcome: Outcome, label: str) -> Outcome:
    """An outcome without the parameter that names its label."""

    def bare(one: Any) -> Any:
        return replace(one, params={k: v for k, v in one.params.items() if (k, v) != ("class", label)})

    kept = {name: tuple(map(bare, getattr(outcome, name))) for name in ("measurements", "omissions")}
    return replace(outcome, **kept)


@cache
def several() -> dict[tuple[str, str], Record]:
    return recorded(multilabel_case(multilabel_cells(1)))


@pytest.mark.parametrize("label", LABELS)
def test_a_label_has_the_numbers_that_its_own_binary_audit_would_give(label: str) -> None:
    cells = multilabel_cells(1)
    roles: dict[str, Any] = {"target": label, "score": f"p_{label}", "positive": 1}
    alone = recorded(make_case(cells, groups=("race", "sex"), features=["x", "z"], **roles))
    compared = [check for check, name in several() if name == label and check != "data.class_balance"]
    assert {"fairness.group_rates", "performance.discrimination", "calibration.calibration"} <= set(compared)
    assert "fairness.selection" in compared
    for check in compared:
        assert are_alike(of_one(several()[check, label].outcome, label), alone[check, ""].outcome), check


def test_no_check_crashes_and_every_one_answers_or_says_why_not() -> None:
    assert {record.check: record.traceback for record in several().values() if record.traceback} == {}
    asked = {info.id for info in registry().checks.values() if info.cost in {"instant", "predict"}}
    assert {check for check, _ in several()} == asked


def fitted(kind: str) -> Any:
    cells = multilabel_cells(2)
    x = np.column_stack([cells["x"], cells["z"]])
    y = np.column_stack([(cells[name] == 1).astype(int) for name in LABELS])
    models = {
        "a model a label": MultiOutputClassifier(LogisticRegression()),
        "a forest": RandomForestClassifier(10, max_depth=3, random_state=0),
        "decisions alone": MultiOutputClassifier(RidgeClassifier()),
    }
    return models[kind].fit(x, y)


@cache
def network() -> TorchModel:
    torch.manual_seed(0)
    return TorchModel(torch.nn.Linear(2, 3).eval(), classes=LABELS, output="logit")


def given(model: Any, cells: Cells | None = None, **more: Any) -> tuple[Case, Predictions]:
    case = multilabel_case(cells or multilabel_cells(3), model=model, **more)
    return case, predictions(case, case.datasets["test"])


def design(cells: Cells) -> Any:
    return np.column_stack([cells["x"], cells["z"]])


@pytest.mark.parametrize("kind", ["a model a label", "a forest"])
def test_probabilities_in_a_list_of_arrays_are_those_that_each_label_holds(kind: str) -> None:
    cells, model = multilabel_cells(3), fitted(kind)
    _, found = given(model, cells)
    expected = np.column_stack([p[:, 1] for p in model.predict_proba(design(cells))])
    assert np.allclose(np.asarray(found.probability), expected)
    assert np.array_equal(np.asarray(found.decision), model.predict(design(cells)))


def test_a_network_is_read_through_a_sigmoid_and_not_a_softmax() -> None:
    cells = multilabel_cells(3)
    _, found = given(network(), cells)
    logits = network().module(torch.from_numpy(design(cells).astype(np.float32))).detach().numpy()
    assert found.probability == pytest.approx(1 / (1 + np.exp(-logits.astype(float))), abs=1e-6)
    assert np.array_equal(np.asarray(found.decision), logits >= 0)
    assert not np.allclose(found.probability.sum(axis=1), 1)


def test_a_threshold_a_label_decides_that_label_alone() -> None:
    _, found = given(network(), threshold=[0.2, 0.5, 0.9])
    assert found.probability is not None
    assert np.array_equal(np.asarray(found.decision), found.probability >= [0.2, 0.5, 0.9])


def test_outputs_are_matched_to_labels_by_name_where_the_model_names_them() -> None:
    turned = TorchModel(network().module, classes=LABELS[::-1], output="logit")
    case, _ = given(network())
    from audit.models.wrapping import wrap

    model = wrap(turned, multilabel=True)
    assert case.loaded is not None
    other = replace(case, loaded=replace(case.loaded, model=model))
    found = predictions(other, other.datasets["test"]).probability
    straight = predictions(case, case.datasets["test"]).probability
    assert found is not None
    assert straight is not None
    assert np.array_equal(found[:, ::-1], straight)


@pytest.mark.parametrize(
    ("model", "output"),
    [(fitted("decisions alone"), None), (lambda frame: (frame > 0).assign(third=1).to_numpy(), "decision")],
)
def test_a_model_that_only_decides_has_rates_and_no_areas(model: Any, output: str | None) -> None:
    case, found = given(model, output=output)
    assert found.probability is None
    assert found.decision is not None
    records = recorded(case)
    name = LABELS[1]
    selected = records["fairness.selection", name].outcome
    assert {(m.n, m.params["class"]) for m in selected.measurements if not m.slice} == {(400, name)}
    assert {o.reason for o in records["performance.discrimination", name].outcome.omissions} == {Reason.MISSING_INPUT}


def test_a_network_of_one_label_stays_a_network_and_gives_the_labels_probability() -> None:
    from audit.labels import label_case
    from audit.models import Differentiable, ProbabilisticClassifier

    case, found = given(network())
    for at, label in enumerate(LABELS):
        one = label_case(case, at)
        model: Any = one.model
        assert isinstance(model, Differentiable)
        assert isinstance(model, ProbabilisticClassifier)
        p = model.predict_proba(one.datasets["test"].features)
        assert found.probability is not None
        assert p[:, 1] == pytest.approx(found.probability[:, at], abs=1e-6)
        assert (one.task, one.classes, one.positive) == ("binary", ("0", "1"), "1")
        assert one.datasets["test"].roles.target == label


def test_the_wrong_number_of_outputs_is_said_with_both_numbers() -> None:
    two = TorchModel(torch.nn.Linear(2, 2), output="logit")
    with pytest.raises(ModelError, match=r"returns 2 outputs for 3 labels \(fog, ice, sun\)"):
        given(two)


def test_probabilities_that_are_none_are_refused_with_the_fix() -> None:
    raw = TorchModel(torch.nn.Linear(2, 3), output="probability")
    with pytest.raises(ModelError, match='say output = "logit"'):
        given(raw)


def test_a_row_whose_truth_is_not_known_for_one_label_counts_for_the_others() -> None:
    cells = multilabel_cells(4)
    records = recorded(multilabel_case(cells))
    for label in LABELS:
        there = np.array([v is not None for v in cells[label]]) & np.isfinite(cells[f"p_{label}"])
        outcome = of_one(records["performance.classification", label].outcome, label)
        assert measurement(outcome, "accuracy").n == there.sum()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([0, 1, 2] * 4, 'target "b" holds "2", and a label holds or does not'),
        (["yes", "no", "no"] * 4, 'holds "no", and a label holds or does not: give 0 and 1'),
    ],
)
def test_a_column_that_is_no_label_is_refused_with_the_value(column: list[Any], words: str) -> None:
    case = make_case({"a": [0, 1, 1] * 4, "b": column, "p": [0.5] * 12, "q": [0.5] * 12}, target=["a", "b"],
                     scores=["p", "q"])  # fmt: skip
    with pytest.raises(DataError, match=words):
        predictions(case, case.datasets["test"])


def test_words_are_labels_where_positive_names_the_one_that_holds() -> None:
    cells = {"a": ["yes", "no", None] * 4, "b": ["no", "yes", "yes"] * 4, "d": ["yes"] * 12, "e": ["no"] * 12}
    case = make_case(cells, target=["a", "b"], prediction=["d", "e"], positive="yes")
    found = predictions(case, case.datasets["test"])
    assert found.label is not None
    assert found.label[:3].tolist() == [[1, 0], [0, 1], [-1, 1]]
    assert found.decision is not None
    assert found.decision[0].tolist() == [1, 0]


def judged(*limits: dict[str, Any]) -> dict[str, Any]:
    case = multilabel_case(multilabel_cells(5), limits=limits)
    return {finding.id: finding for finding in run_audit(case, loaded(case), registry()).findings}


def test_a_limit_that_names_no_label_is_asked_of_each_and_one_that_does_of_it_alone() -> None:
    own = {"measure": "accuracy", "params": {"class": "ice"}, "min": 0.01}
    found = judged(LIMIT, {"measure": "accuracy", "min": 0.999}, own)
    assert {f"true_positive_rate[class={name}]/difference@sex" for name in LABELS} <= set(found)
    assert [found[f"accuracy[class={name}]"].limit.min for name in LABELS] == [0.999, 0.01, 0.999]
    assert isinstance(found["accuracy[class=ice]"].subject, Measurement)


def test_the_default_pack_is_asked_of_each_label() -> None:
    found = judged()
    assert {f"roc_auc[class={name}]" for name in LABELS} <= set(found)
    assert "prediction_failures" in found


def test_a_limit_on_a_label_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(AuditError, match=r'class = "icy" is no label \(did you mean "ice"\?\): fog, ice, sun'):
        judged({"measure": "accuracy", "params": {"class": "icy"}, "min": 0.5})


def test_a_binary_audit_still_refuses_a_class_that_its_measures_do_not_have() -> None:
    case = make_case(binary_cells(1), target="y", positive=1, score="s", limits=[{**LIMIT, "params": {"class": "1"}}])
    with pytest.raises(AuditError, match='"true_positive_rate" has no parameter "class"'):
        run_audit(case, loaded(case), registry())


def test_a_known_row_is_right_when_every_label_that_is_known_of_it_is() -> None:
    cells = {"a": [1, 0, 1, None], "b": [0, None, 1, None], "d": [1, 0, 1, 1], "e": [0, 1, 0, 1]}
    roles: dict[str, Any] = {"target": ["a", "b"], "features": ["d", "e"], "output": "decision"}
    case = make_case(cells, known=cells, model=lambda frame: frame.to_numpy(), **roles)
    outcome = recorded(case)["performance.known_answers", ""].outcome
    wrong = measurement(outcome, "known_answers_wrong")
    assert (wrong.value, wrong.n) == (1, 3)


def test_an_estimator_of_several_labels_under_one_target_is_told_how_to_name_them() -> None:
    cells = multilabel_cells(3)
    with pytest.raises(ModelError, match=r'name target as a list of 0/1 columns.*target = \["cat", "dog"\]'):
        make_case(cells, target="fog", features=["x", "z"], model=fitted("a model a label"))


def test_rows_are_alike_only_when_all_their_labels_are() -> None:
    cells = {"x": [1.0, 1.0, 2.0], "a": [0, 0, 1], "b": [0, 1, 1], "d": [0, 0, 0], "e": [0, 0, 0]}
    case = make_case(cells, target=["a", "b"], prediction=["d", "e"], features=["x"])
    outcome = recorded(case)["data.profile", ""].outcome
    assert measurement(outcome, "duplicate_rows_share").value == 0.0
