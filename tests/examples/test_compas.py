"""ProPublica's reading of COMPAS, through the predictions-only path."""

from __future__ import annotations

import pytest

from audit import store
from audit.cli import main
from audit.policy import Finding
from audit.record import AuditRun
from examples import compas


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> AuditRun:
    folder = tmp_path_factory.mktemp("compas")
    assert main(["run", str(compas.write(folder)), "--out", str(folder / "audits"), "-q"]) == 1
    return store.read(store.find_run(folder / "audits"))


def rate(run: AuditRun, measure: str, race: str) -> float:
    return next(m.value for _, m in run.measurements() if m.name == measure and dict(m.slice) == {"race": race})


def finding(run: AuditRun, identity: str) -> Finding:
    return next(f for f in run.findings if f.id == identity)


def test_the_error_rates_are_those_that_were_published(run: AuditRun) -> None:
    published = {
        ("false_positive_rate", "African-American"): 44.85,
        ("false_positive_rate", "Caucasian"): 23.45,
        ("false_negative_rate", "African-American"): 27.99,
        ("false_negative_rate", "Caucasian"): 47.72,
    }
    for (measure, race), per_cent in published.items():
        assert round(100 * rate(run, measure, race), 2) == per_cent


def test_the_gap_of_false_positives_fails_and_the_vendors_own_standard_passes(run: AuditRun) -> None:
    """Both sides of the dispute were right about their own measure (Kleinberg et al. 2016, Chouldechova 2017)."""
    false_positives = finding(run, "false_positive_rate/difference@race")
    assert false_positives.verdict == "fail"
    assert false_positives.comparison is not None
    assert false_positives.comparison.value == pytest.approx(0.4485 - 0.2345, abs=1e-4)
    assert finding(run, "positive_predictive_value/difference@race").verdict == "pass"


def test_what_needs_a_score_or_a_model_is_an_omission_and_not_a_zero(run: AuditRun) -> None:
    omitted = {record.check for record, _ in run.omissions()}
    assert {"performance.discrimination", "calibration.calibration", "attribution.global_importance"} <= omitted
    assert not any(m.name == "roc_auc" for _, m in run.measurements())
