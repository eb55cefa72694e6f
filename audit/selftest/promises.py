"""What no sample decides: a crash never passes, the undefined is never a number, the same audit is the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit.record import AuditRun
from audit.registry import find
from audit.results import Reason
from audit.selftest.auditing import audited

GAP = {"measure": "true_positive_rate", "by": "group", "compare": "difference", "max": 0.1}
CRASHING = '''"""A check that breaks."""
from audit.check import check
from audit.inputs.predictions import Predictions
from audit.results import Outcome
MEASURES = {"own.broken": {"unit": "1", "better": "lower", "words": "what could not be measured"}}
@check(cost="instant")
def broken(predictions: Predictions) -> Outcome:
    raise ZeroDivisionError("the selftest breaks this check on purpose")
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    words: str
    kept: Callable[[], bool]


def a_crash_never_passes() -> bool:
    """A limit on a check that breaks ends the audit with exit code 2, and the crash is on record."""
    with tempfile.TemporaryDirectory() as work:
        own = Path(work) / "own"
        own.mkdir()
        (own / "broken.py").write_text(CRASHING, encoding="utf-8")
        run = _audited(_table(), {"measure": "own.broken", "max": 1.0}, own)
    return run.exit_code == 2 and any(o.reason == Reason.ERROR for _, o in run.omissions())


def the_undefined_is_no_number() -> bool:
    """A group without positives has no true positive rate: an omission, and the limit does not pass."""
    table = _table()
    table["y"][table["group"] == "b"] = 0
    run = _audited(table, {**GAP, "max": 0.9})
    of_b = [m for _, m in run.measurements() if m.name == "true_positive_rate" and m.slice == {"group": "b"}]
    omitted = [o for _, o in run.omissions() if o.name == "true_positive_rate" and o.slice == {"group": "b"}]
    return not of_b and bool(omitted) and run.exit_code != 0


def the_same_audit_is_the_same_bytes() -> bool:
    """Measured twice, and once with the rows in another order: one identity."""
    table = _table()
    order = np.random.default_rng(1).permutation(len(table["y"]))
    shuffled = {name: values[order] for name, values in table.items()}
    return len({_audited(one, GAP).id for one in (table, table, shuffled)}) == 1


def a_small_sample_does_not_pass() -> bool:
    """Twenty rows a group cannot show that a gap is below 0.1, so the gate says so and does not pass them."""
    table = {name: values[:40] for name, values in _table().items()}
    run = _audited(table, GAP)
    return run.exit_code == 3


PROMISES = (
    Promise(words="a check that crashes never passes", kept=a_crash_never_passes),
    Promise(words="what is undefined is never a number", kept=the_undefined_is_no_number),
    Promise(words="too few rows never pass", kept=a_small_sample_does_not_pass),
    Promise(words="the same audit gives the same bytes", kept=the_same_audit_is_the_same_bytes),
)


def _table() -> dict[str, Any]:
    rng = np.random.default_rng(7)
    y, group = rng.integers(0, 2, 400), rng.choice(np.array(["a", "b"]), 400)
    return {"y": y, "group": group, "decision": (rng.random(400) < np.where(y == 1, 0.8, 0.2)).astype(int)}


def _audited(table: Mapping[str, Any], limit: Mapping[str, Any], *own: Path) -> AuditRun:
    roles = {"target": "y", "positive": 1, "prediction": "decision", "groups": ["group"]}
    return audited({"test": table}, roles, limit, find(own))
