"""A case as the engine runs it: its training is replayed, its evidence gathered, its bad input refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from audit.case import Case
from audit.energy.record import to_text
from audit.engine import Runner
from audit.errors import DataError, SpecError, Unavailable
from audit.models.torch import TorchModel
from audit.results import Outcome, Reason
from tests.energy.corpus import as_csv, honest
from tests.energy.trees import HOST, a_record
from tests.worlds.tables import make_case, registry, run_check

RECIPE = """
def fit(columns):
    assert set(columns) == {"a", "b", "y"}
    for _ in range(40):
        sum(range(20000))
        yield
"""


def columns(rows: int = 120) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, rows))
    return {"a": a, "b": b, "y": (a + b > 0).astype(int)}


def a_case(root: Path, *, network: bool = False, allow_code: bool = False, **training: Any) -> Case:
    table = columns()
    model: Any = LogisticRegression().fit(np.column_stack([table["a"], table["b"]]), table["y"])
    if network:
        model = TorchModel(torch.nn.Sequential(torch.nn.Linear(2, 1)), classes=(0, 1), output="logit")
    case = make_case(table, target="y", positive=1, features=("a", "b"), model=model, train=table)
    spec = case.spec.model_copy(update={"training": case.spec.training.model_copy(update=training)})
    return replace(case, spec=spec, root=root, allow_code=allow_code)


def values(outcome: Outcome) -> dict[str, float]:
    return {item.name: item.value for item in outcome.measurements}


def gathered(case: Case) -> Any:
    return Runner(case=case, registry=registry()).made("training_evidence", "test")


def test_a_scikit_learn_model_is_replayed_without_any_word_of_its_training(tmp_path: Path) -> None:
    outcome = run_check(a_case(tmp_path), "energy.training_replay")
    found = values(outcome)
    assert found["replayed_training_energy"] > 0
    assert found["replayed_training_cpu_time"] > 0
    assert "training_replay_disagreement" not in found
    assert [item.name for item in outcome.omissions] == ["training_replay_disagreement"]


def test_a_replay_is_held_against_a_declared_figure(tmp_path: Path) -> None:
    case = a_case(tmp_path, declared_kwh=1e6, boundary="chip")
    assert values(run_check(case, "energy.training_replay"))["training_replay_disagreement"] > 1e6


def test_a_network_without_a_recipe_says_what_to_write(tmp_path: Path) -> None:
    outcome = run_check(a_case(tmp_path, network=True), "energy.training_replay")
    (omission,) = outcome.omissions
    assert omission.reason is Reason.MISSING_INPUT
    assert "yields after each step" in omission.remedy


def test_a_recipe_runs_only_when_code_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(RECIPE)
    refused = run_check(a_case(tmp_path, network=True, recipe="train.py:fit"), "energy.training_replay")
    assert (refused.omissions[0].reason, refused.omissions[0].remedy) == (Reason.WITHHELD, "run with --allow-code")
    allowed = run_check(
        a_case(tmp_path, network=True, recipe="train.py:fit", allow_code=True), "energy.training_replay"
    )
    assert values(allowed)["replayed_training_energy"] > 0


def test_what_the_spec_tells_is_gathered_with_the_work_of_the_network(tmp_path: Path) -> None:
    case = a_case(tmp_path, network=True, hardware="Tesla T4", epochs=10.0, hours=2.0, trials=3, pue=1.2)
    found = gathered(case)
    forward = backward = 2 * 2  # one layer of two weights; no gradient of the inputs
    assert found.work.flops == 120 * 10 * 3 * (forward + backward)
    assert [(item.rung, item.boundary) for item in found.estimates] == [
        ("duration_x_rating", "system"),
        ("duration_x_rating", "facility"),
    ]
    assert found.estimates[1].value_kwh == pytest.approx(1.2 * found.estimates[0].value_kwh)


def test_a_record_of_ours_and_of_another_tracker_are_told_apart_by_content(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text(to_text(a_record(host=HOST)))
    (tmp_path / "theirs.txt").write_text(as_csv(honest(np.random.default_rng(3))))
    assert gathered(a_case(tmp_path, record="ours.txt")).record.wall_s == 3600.0
    assert gathered(a_case(tmp_path, record="theirs.txt")).log.tool == "codecarbon"


def test_a_record_of_another_model_is_graded_down(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(to_text(a_record(host=HOST)))
    case = a_case(tmp_path, record="t.json")
    assert case.loaded is not None
    case = replace(case, loaded=replace(case.loaded, sha256="cd" * 32))
    assert {item.rung for item in gathered(case).estimates} == {"declared"}


def test_the_power_of_the_rest_of_the_machine_narrows_the_wall(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(to_text(replace(a_record(host=HOST), meter_kwh=None)))
    wide, known = (gathered(a_case(tmp_path, record="t.json", rest_watts=watts)) for watts in (None, 50.0))
    walls = [next(e for e in found.estimates if e.boundary == "system") for found in (wide, known)]
    assert "as measured on it" in walls[1].assumptions[-1]
    assert walls[1].upper_kwh / walls[1].lower_kwh < walls[0].upper_kwh / walls[0].lower_kwh


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "no record of a training"), ('{"format": "assay-training-record"', "truncated"), ("a,b\n1,2\n", "no record")],
)
def test_a_file_that_is_no_evidence_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(DataError, match=message):
        gathered(a_case(tmp_path, record="t"))


def test_a_negative_counter_or_a_changed_record_is_refused(tmp_path: Path) -> None:
    content = json.loads(to_text(a_record(host=HOST)))
    (tmp_path / "t").write_text(json.dumps(content | {"cpu_s": -1.0}))
    with pytest.raises(DataError, match="changed after it was written"):
        gathered(a_case(tmp_path, record="t"))


def test_nothing_said_is_an_omission_and_an_unknown_region_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nothing was said of the training"):
        gathered(a_case(tmp_path))
    with pytest.raises(SpecError, match="region must be a country"):
        gathered(a_case(tmp_path, declared_kwh=1.0, region="Atlantis"))
