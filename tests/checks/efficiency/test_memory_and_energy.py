"""Memory, cold start and the energy of inferences: what stands behind each figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

import audit
from audit.checks.efficiency import inference_energy as checked
from audit.checks.efficiency import memory
from audit.checks.efficiency._timing import batch
from audit.cli.auditing import Options, measured
from audit.compute.cold_start import ColdStart
from audit.data.memory import as_table
from audit.data.opening import dataset_from_table
from audit.energy.hardware import unknown_vcpu
from audit.energy.host import fingerprint
from audit.engine import Silent
from audit.models.wrapping import wrap
from audit.record import AuditRun
from audit.results import Reason
from audit.spec import DataSpec
from audit.stats import interval, value
from tests.checks.efficiency.worlds import network, overall, table

TOML = """name = "cold"
use = []
[model]
path = "m.skops"
[data.test]
path = "t.parquet"
target = "y"
features = ["x", "z"]
[compute]
seconds = 0.2
"""


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> AuditRun:
    tmp_path = tmp_path_factory.mktemp("cold")
    data = table(80)
    skops.io.dump(LogisticRegression().fit(data[["x", "z"]], data["y"]), tmp_path / "m.skops")
    data.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "audit.toml").write_text(TOML)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "STARTS", 2)
        return measured(tmp_path / "audit.toml", Options(out=tmp_path, costs=("timing",)), Silent())


def test_a_model_from_a_file_is_started_cold_and_its_memory_told(audited: AuditRun) -> None:
    start, load = overall(audited, "cold_start"), overall(audited, "load_time")
    assert start.value > load.value > 0
    assert start.interval.lower < start.value < start.interval.upper
    assert overall(audited, "peak_memory").value > overall(audited, "model_memory").value


def test_an_energy_carries_rung_boundary_and_range(audited: AuditRun) -> None:
    energy = overall(audited, "inference_energy")
    assert "rung" in energy.method
    assert "boundary" in energy.method
    assert energy.interval.kind == "range"
    assert energy.interval.lower < energy.value < energy.interval.upper
    assert overall(audited, "inference_cpu_time").value > 0


def test_a_model_in_memory_has_no_cold_start() -> None:
    run = audit.run(
        network(), table(60), target="y", features=["x", "z"], classes=[0, 1], output="logit", device="cpu",
        use=(), limits=[{"measure": "cold_start", "max": 5, "why": "so"}],
    ).result  # fmt: skip
    (omission,) = [o for record, o in run.omissions() if record.check == "efficiency.memory"]
    assert omission.reason is Reason.MISSING_INPUT


def test_the_energy_of_a_call_lies_between_what_an_idle_and_a_busy_machine_draws() -> None:
    data = table(60)
    model = wrap(LogisticRegression().fit(data[["x", "z"]], data["y"]))
    found = checked._run(model, {"x": np.zeros(1), "z": np.zeros(1)}, 0.3)
    seconds = 0.3 / found.count
    watts = [fingerprint().vcpus * w for w in (unknown_vcpu().idle_w, unknown_vcpu().busy_w)]
    for estimate in found.estimates:
        if estimate.rung == "utilisation" and "not in the table" in " ".join(estimate.assumptions):
            value_j = checked._joules(estimate, found.count)[0] / 1000
            assert 0.9 * watts[0] * seconds <= value_j <= 1.5 * watts[1] * seconds
    assert not any("taken on trust" in words for one in found.estimates for words in one.assumptions)


def start(**more: Any) -> ColdStart:
    facts = {"import_s": 1.0, "load_s": 0.1, "first_s": 0.01, "total_s": 2.0}
    return ColdStart(**{**facts, "peak_bytes": 9, "model_bytes": 3, "inference_bytes": 1, **more})


def test_memory_is_the_largest_of_the_starts_and_unknown_where_one_is() -> None:
    known = memory._memories([start(), start(peak_bytes=12)])
    assert value(memory._largest(known["peak_memory"])) == 12  # type: ignore[arg-type]
    unknown = memory._largest([None, 5])
    assert "does not tell" in str(unknown)


def test_the_mean_of_starts_holds_all_of_three_close_ones() -> None:
    found = interval(memory._mean([1.0, 1.1, 1.2]), 0.95)
    assert found.lower < 1.0
    assert found.upper > 1.2


def test_a_batch_longer_than_the_table_goes_through_it_again() -> None:
    given, spec = as_table({"x": [1.0, 2.0]}, "t"), DataSpec(path="t", features=("x",))
    data = dataset_from_table("test", given, spec, {}, root=Path())
    assert batch(data, 5)["x"].tolist() == [1.0, 2.0, 1.0, 2.0, 1.0]
