"""The engine: one broken check hides no other, and a check returns what it declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit import plan
from audit.case import Case
from audit.engine import Runner, Settings, Silent, facts_of, run_audit
from audit.errors import AuditError, SpecError
from audit.policy import Limit, Verdict
from audit.registry import Registry, find
from audit.results import Reason, Record
from audit.spec import AuditSpec, Loaded
from tests.contracts.cases import case_of, cells
from tests.worlds.tables import make_case

CHECK = '''"""Doc."""
from __future__ import annotations
from dataclasses import dataclass
from audit.check import check
from audit.errors import DataError, Unavailable
from audit.inputs.predictions import Predictions
from audit.results import Array, Curve, Measurement, Omission, Outcome, Reason, Waterfall
from audit.stats import exact, measured
MEASURES = {"own.share": {"unit": "1", "better": "none", "words": "a share", "params": {"k": "int"}}}
@dataclass(frozen=True)
class Params:
    k: int = 1
def of(name="own.share", unit="1", **more):
    return measured(name=name, basis=exact(0.5), level=0.95, n=1, unit=unit, **more)
@check(cost="instant")
def share(predictions: Predictions, params: Params = Params()) -> Outcome:
    %s
'''


def registry(folder: Path, body: str) -> Registry:
    (folder / "own").mkdir()
    (folder / "own" / "share.py").write_text(CHECK % body)
    return find([folder / "own"])


def recorded(folder: Path, body: str, *limits: Limit, case: Case | None = None) -> Mapping[str, Record]:
    known, case = registry(folder, body), case or case_of("stored", cells())
    items = plan.make(known, facts_of(case), limits, Settings().costs)
    made, _ = Runner(case=case, registry=known).run(items, Silent())
    return {record.check + str(dict(record.params) or ""): record for record in made}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "ZeroDivisionError: division by zero"),
        ("return 5", "returned int, a check returns Outcome"),
        ("return Outcome()", "empty Outcome"),
        ("return Outcome(measurements=(of('accuracy'),))", 'returned "accuracy", which MEASURES does not declare'),
        ("return Outcome(measurements=(of(unit='kWh'),))", 'returned "own.share" in kWh, MEASURES says otherwise'),
        ("return Outcome(measurements=(of(), ), omissions=(Omission(name='x', reason=Reason.UNDEFINED, detail='d',"
         " remedy='r'),))", 'returned "x"'),
        ("raise Unavailable('because', 'd', 'r')", 'Unavailable gives "because" as its reason'),
        ("raise DataError('the table is odd')", "the table is odd"),
        ("raise RecursionError('deep')", "RecursionError: deep"),
    ],
)  # fmt: skip
def test_a_broken_check_is_an_error_with_its_traceback_and_hides_no_other(
    tmp_path: Path, body: str, words: str
) -> None:
    found = recorded(tmp_path, body)
    (omission,) = found["own.share"].outcome.omissions
    assert omission.reason is Reason.ERROR
    assert words in omission.detail
    assert "Traceback" in found["own.share"].traceback
    assert found["performance.discrimination"].outcome.measurements


def test_what_a_check_cannot_have_is_an_omission_and_no_crash(tmp_path: Path) -> None:
    record = recorded(tmp_path, "raise Unavailable('undefined', 'd', 'r')")["own.share"]
    assert [o.reason for o in record.outcome.omissions] == [Reason.UNDEFINED]
    assert record.traceback == ""


def test_a_parameter_runs_the_check_again_and_marks_its_answers(tmp_path: Path) -> None:
    limit = Limit(measure="own.share", params={"k": 3}, max=1)
    body = "return Outcome(measurements=(of(slice={'race': str(params.k)}),), omissions=(Omission(name='own.share', "
    body += "reason=Reason.UNDEFINED, detail='d', remedy='r'),))"
    found = recorded(tmp_path, body, limit)
    plain, three = found["own.share"].outcome, found["own.share{'k': 3}"].outcome
    assert [dict(m.slice) for m in (*plain.measurements, *three.measurements)] == [{"race": "1"}, {"race": "3"}]
    assert [dict(x.params) for x in (*three.measurements, *three.omissions)] == [{"k": 3}, {"k": 3}]
    assert [dict(x.params) for x in (*plain.measurements, *plain.omissions)] == [{}, {}]


@pytest.mark.parametrize(("rows", "kept"), [("none", 0), ("sample", 1), ("all", 1)])
def test_pictures_of_single_rows_are_kept_only_where_rows_may_be_shown(tmp_path: Path, rows: str, kept: int) -> None:
    body = (
        "return Outcome(measurements=(of(),), evidence=(Waterfall(name='a', title='a', unit='1', base=0.0, output=0.0,"
        " items=(), completeness=0.0, method='m'),))"
    )
    case = case_of("stored", cells())
    spec = case.spec.model_copy(update={"evidence": case.spec.evidence.model_copy(update={"rows": rows})})
    outcome = recorded(tmp_path, body, case=replace(case, spec=spec))["own.share"].outcome
    assert len(outcome.evidence) == kept
    assert [o.reason for o in outcome.omissions] == [Reason.SKIPPED] * (1 - kept)


def test_the_model_is_asked_once_for_each_row_and_again_for_a_hundred() -> None:
    asked: list[int] = []

    class Counting:
        kind, name, classes, features = "callable", "counting", ("0", "1"), ("x",)

        def predict(self, columns: Any) -> Any:
            asked.append(len(columns["x"]))
            return np.array(["1"] * len(columns["x"]), dtype=object)

    table = {"x": np.arange(300.0), "y": [0, 1, 1] * 100}
    case = make_case(table, target="y", features=["x"], model=Counting())
    known = find()
    Runner(case=case, registry=known).run(plan.make(known, facts_of(case), (), ("instant", "predict")), Silent())
    assert sorted(asked) == [100, 300]


def loaded(case: Case, **more: Any) -> Loaded:
    raw = case.spec.model_dump(by_alias=True) | more
    return Loaded(spec=AuditSpec.model_validate(raw), root=Path(), raw=raw, sha256="")


def test_a_crashed_check_under_a_limit_ends_with_2_and_no_pass(tmp_path: Path) -> None:
    known, case = registry(tmp_path, "return 1 / 0"), case_of("stored", cells())
    run = run_audit(case, loaded(case, use=[], limit=[{"measure": "own.share", "max": 1}]), known)
    assert (run.verdict, run.exit_code) == (Verdict.NOT_ASSESSED, 2)
    assert "division by zero" in run.exit_reason


def test_a_measure_in_the_unit_of_what_is_explained_is_judged_in_the_unit_of_its_measurements(tmp_path: Path) -> None:
    registry(tmp_path, "return Outcome(measurements=(of(unit='log-odds'),))")
    file = tmp_path / "own" / "share.py"
    file.write_text(file.read_text().replace('"unit": "1"', '"unit": "output"'))
    case = case_of("stored", cells())
    limit = {"measure": "own.share", "max": 0.25}
    run = run_audit(case, loaded(case, use=[], limit=[limit]), find([tmp_path / "own"]))
    assert run.measures["own.share"].unit == "log-odds"
    said = run.findings[0].message.replace("\u00a0", " ")
    assert said == "a share: 0.500 log-odds (exact, n = 1); the limit is at most 0.25 log-odds"


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"measure": "acuracy", "min": 0.5}, 'did you mean "accuracy"'),
        ({"measure": "accuracy", "min": 0.5, "params": {"k": 1}}, 'has no parameter "k"'),
        ({"measure": "own.share", "max": 1, "params": {"k": "x"}}, "k must be a int"),
        ({"measure": "selection_rate", "regress": 0.1}, "cannot regress"),
    ],
)
def test_a_limit_that_asks_what_is_not_there_ends_the_audit(tmp_path: Path, limit: Any, words: str) -> None:
    known, case = registry(tmp_path, "return Outcome(measurements=(of(),))"), case_of("stored", cells())
    with pytest.raises(SpecError, match=words):
        run_audit(case, loaded(case, limit=[limit]), known)


def test_a_model_that_does_not_fit_its_data_ends_the_audit_in_one_line() -> None:
    case = make_case({"x": ["a", "b"], "y": [0, 1]}, target="y", features=["x"], model=_numbers_only())
    with pytest.raises(AuditError, match="do model and columns fit"):
        run_audit(case, loaded(case), find())


def _numbers_only() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])
