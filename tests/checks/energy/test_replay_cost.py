"""A replay runs when a retraining is asked for, and two runs of one audit have one id although it differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import audit
from audit import api
from audit.plan import Facts, make
from audit.record import AuditRun
from audit.results import Outcome
from tests.worlds.tables import registry

REPLAY = "energy.training_replay"


def table(rows: int = 120) -> pd.DataFrame:
    a, b = np.random.default_rng(0).standard_normal((2, rows))
    return pd.DataFrame({"a": a, "b": b, "y": (a + b > 0).astype(int)})


def made() -> AuditRun:
    data = table()
    model = LogisticRegression().fit(data[["a", "b"]], data["y"])
    return audit.run(model, data, train=data, target="y", use=(), costs=["retrain"]).result


def replayed(run: AuditRun) -> Outcome:
    (outcome,) = [record.outcome for record in run.records if record.check == REPLAY]
    return outcome


def test_a_replay_is_asked_for_as_a_retraining_and_measures_this_machine() -> None:
    found = registry()
    assert found.checks[REPLAY].cost == "replay"
    facts = Facts(task="binary", has=frozenset({"model", "train", "training_evidence"}), roles=frozenset({"target"}))
    items = {costs: make(found, facts, (), costs) for costs in (("retrain",), ("timing",))}
    why = {costs: next(i.omission for i in some if i.check.cost == "replay") for costs, some in items.items()}
    assert why["retrain",] is None
    assert why["timing",] is not None
    assert why["timing",].remedy == "run with --cost retrain"


def test_two_runs_that_replayed_have_one_id_although_what_they_measured_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = registry()
    checks = {name: info for name, info in every.checks.items() if info.family == "energy"}
    measures = {name: check for name, check in every.measures.items() if check in checks}
    monkeypatch.setattr(api, "find", lambda: replace(every, checks=checks, measures=measures))
    one, other = made(), made()
    assert [m.value for m in replayed(one).measurements] != [m.value for m in replayed(other).measurements]
    assert one.id == other.id
