"""The ledger of looks: who retrains until the audit is green pays for each try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audit
from audit.errors import StoreError
from audit.results import Measurement
from audit.store import read

N = 800
RNG = np.random.default_rng(1)
ROWS: dict[str, Any] = {"y": RNG.integers(0, 2, N), "g": np.array(["a", "b"], dtype=object)[RNG.integers(0, 2, N)]}
LIMITS = [
    {"measure": "accuracy", "by": ["g"], "compare": "difference", "max": 0.2},
    {"measure": "accuracy", "min": 0.5},
]


def look(ledger: Path, seed: int, **columns: Any) -> audit.Run:
    decided = np.where(np.random.default_rng(seed).random(N) < 0.8, ROWS["y"], 1 - ROWS["y"])
    return audit.run(
        None, {**ROWS, **columns, "d": decided}, target="y", positive=1, prediction="d", groups=["g"], use=(),
        limits=LIMITS,
        stats={"ledger": str(ledger)},
    )  # fmt: skip


def half_width(run: audit.Run, which: str) -> float:
    subject = next(f.subject for f in run.findings if f.id == which)
    assert isinstance(subject, Measurement)
    return subject.interval.half_width


def test_each_new_model_is_judged_on_wider_intervals_and_the_same_one_as_before(tmp_path: Path) -> None:
    ledger = tmp_path / "audits" / "ledger.json"
    first, second, third = (look(ledger, seed) for seed in (1, 2, 3))
    assert [r.result.look.index for r in (first, second, third) if r.result.look] == [1, 2, 3]
    for which in ("accuracy", "accuracy/difference@g"):
        assert half_width(first, which) < half_width(second, which) < half_width(third, which)
    assert "look 2 at this test data, judged on 99.2" in second.result.exit_reason
    again = look(ledger, 2)
    assert again.result.id == second.result.id
    assert len(next(iter(json.loads(ledger.read_text())["looks"].values()))) == 3


def test_other_rows_are_another_audit_set(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.json"
    look(ledger, 1)
    other = look(ledger, 2, extra=np.arange(N))
    assert other.result.look is not None
    assert other.result.look.index == 1
    assert len(json.loads(ledger.read_text())["looks"]) == 2


def test_the_look_is_part_of_what_was_measured_and_is_kept_with_the_run(tmp_path: Path) -> None:
    run = look(tmp_path / "ledger.json", 4)
    stored = read(run.save(tmp_path / "audits"))
    assert stored.look == run.result.look
    assert stored.judged_confidence == run.result.judged_confidence


def test_a_broken_ledger_ends_the_audit_and_is_left_as_it_is(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.json"
    ledger.write_text("{}")
    with pytest.raises(StoreError, match="is no ledger"):
        look(ledger, 1)
    assert ledger.read_text() == "{}"


def test_without_a_ledger_nothing_is_spent(tmp_path: Path) -> None:
    run = audit.run(None, {**ROWS, "d": ROWS["y"]}, target="y", positive=1, prediction="d", groups=["g"])
    assert run.result.look is None
    assert run.result.judged_confidence == run.result.confidence
    assert not list(tmp_path.iterdir())
