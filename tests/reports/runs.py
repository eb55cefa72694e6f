"""A run for the tests of every writer: rich and realistic, made of the public types alone."""

from __future__ import annotations

import math
from datetime import date

from audit.policy import Comparison, Finding, Limit, Verdict, Waiver
from audit.record import AuditRun, DataSummary, Machine, MeasureNote, ModelSummary, Record
from audit.results import Measurement, Omission, Outcome, Reason, Table
from tests.reports.evidence import FEATURES, Groups, attributions, curves, energy, image_map, measurement

DOC = """Selection and error rates of every group, with their intervals.

Why it matters
--------------
A model that selects one group less often, or errs more often for it, treats its members worse. ``selection_rate`` alone
does not say why.

How it is measured
------------------
k of n, with the Wilson score interval (Wilson 1927). Groups are crossed up to the depth that [stats] gives.

- n of a rate is its denominator
- a missing value is a group of its own

How to reduce the risk
----------------------
Look at the rows of the group concerned first; then at the threshold; then at the data it was trained on.

Sources
-------
Wilson, E. B. (1927). Probable inference. JASA 22, 209-212.
"""

NOTES = {
    "selection_rate": MeasureNote(unit="1", better="none", words="share selected", check="fairness.group_rates"),
    "true_positive_rate": MeasureNote(
        unit="1", better="higher", words="true positive rate", check="fairness.group_rates"
    ),
    "accuracy": MeasureNote(unit="1", better="higher", words="accuracy", check="performance.classification"),
    "roc_auc": MeasureNote(unit="1", better="higher", words="ROC AUC", check="performance.classification"),
    "brier_score": MeasureNote(unit="1", better="lower", words="Brier score", check="performance.classification"),
    "calibration_slope": MeasureNote(
        unit="1", better="one", words="calibration slope", check="calibration.reliability"
    ),
    "training_energy": MeasureNote(
        unit="kWh", better="lower", words="energy used in training", check="energy.training_energy"
    ),
    "duplicate_rows": MeasureNote(unit="rows", better="lower", words="duplicate rows", check="data.profile"),
}


def rates(name: str, groups: list[tuple[Groups, float, int]]) -> list[Measurement]:
    return [measurement(name, v, 1.96 * math.sqrt(v * (1 - v) / n), n, g) for g, v, n in groups]


RACE: list[tuple[Groups, float, int]] = [
    ({"race": "white"}, 0.893, 1681),
    ({"race": "black"}, 0.624, 197),
    ({"race": "hispanic"}, 0.751, 108),
]
SEX: list[tuple[Groups, float, int]] = [
    ({"sex": "male"}, 0.871, 1601),
    ({"sex": "female"}, 0.858, 373),
    ({"sex": None}, 0.733, 15),
]
CROSSED: list[tuple[Groups, float, int]] = [
    ({"race": race, "sex": sex}, rate, n)
    for race, sex, rate, n in (
        ("white", "male", 0.897, 1378),
        ("white", "female", 0.881, 303),
        ("black", "male", 0.61, 141),
        ("black", "female", 0.661, 56),
        ("hispanic", "male", 0.744, 82),
    )
]


def comparison(value: float, half: float, groups: tuple[Groups, Groups], n: tuple[int, int]) -> Comparison:
    return Comparison(
        groups=groups,
        value=value,
        lower=max(0.0, value - half),
        upper=value + half,
        family_lower=max(0.0, value - 1.4 * half),
        family_upper=value + 1.4 * half,
        n=n,
        powered=True,
        needed_n=None,
    )


def limit(measure: str, **more: object) -> Limit:
    return Limit(measure=measure, **more)  # type: ignore[arg-type]


def findings() -> tuple[Finding, ...]:
    """One of each verdict and more, not in order: the writers sort."""
    black_white: tuple[Groups, Groups] = ({"race": "black"}, {"race": "white"})
    gap = measurement("selection_rate", 0.269, 0.071, 1878, method="Newcombe 1998", compare="difference")
    tpr = measurement("true_positive_rate", 0.061, 0.083, 1744, method="Newcombe 1998", compare="difference")
    auc = measurement("roc_auc", 0.836, 0.024, 1989, method="logit DeLong (DeLong 1988)")
    ece = measurement("calibration_slope", 0.91, 0.12, 1989, method="t")
    ratio = measurement("selection_rate", 0.985, 0.044, 1974, method="Koopman", compare="ratio")
    return (
        Finding(
            limit=limit("roc_auc", min=0.75, why="below this the score ranks applicants no better than the old card"),
            verdict=Verdict.PASS,
            subject=auc,
            message="ROC AUC is 0.836 (95 % CI 0.812 to 0.860), above 0.75.",
            remedy="Nothing to do.",
        ),
        Finding(
            limit=limit(
                "selection_rate",
                by=("race",),
                compare="difference",
                max=0.10,
                why="credit policy 4.2: no group may be approved ten points less often",
                clause=("ECOA 1002.4(a)",),
                line=31,
            ),
            verdict=Verdict.FAIL,
            subject=gap,
            message="Black applicants are approved 26.9 points less often than white ones; the limit is 10 points.",
            remedy="Look at the rows of black applicants that were refused and paid back; then move the threshold.",
            comparison=comparison(0.269, 0.071, black_white, (197, 1681)),
            comparisons=3,
            assessed=3,
            blocking=(
                comparison(0.269, 0.071, black_white, (197, 1681)),
                comparison(0.142, 0.081, ({"race": "hispanic"}, {"race": "white"}), (108, 1681)),
            ),
            smallest_gap=0.084,
        ),
        Finding(
            limit=limit(
                "true_positive_rate",
                by=("race", "sex"),
                compare="difference",
                max=0.10,
                why="a missed default costs the same whoever the applicant is",
                line=39,
            ),
            verdict=Verdict.INCONCLUSIVE,
            subject=tpr,
            message="The gap is 0.061 (95 % CI 0.000 to 0.144), which includes the limit of 0.1.",
            remedy="Collect 310 more rows of black women; this test set could have shown a gap of 0.144 at best.",
            comparison=comparison(0.061, 0.083, (CROSSED[3][0], CROSSED[0][0]), (49, 1241)),
            comparisons=15,
            assessed=6,
            rows_assessed=0.93,
            needed_n=366,
            smallest_gap=0.144,
        ),
        Finding(
            limit=limit("train_test_overlap", max=0, why="a row seen in training proves nothing", source="default@1"),
            verdict=Verdict.NOT_ASSESSED,
            subject=Omission(
                name="train_test_overlap",
                reason=Reason.MISSING_INPUT,
                detail="the case holds no training data",
                remedy="give [data.train] to measure leakage",
            ),
            message="No training data: whether test rows were seen in training is not known.",
            remedy="Give [data.train] to measure leakage.",
        ),
        Finding(
            limit=limit("calibration_slope", min=0.9, max=1.1, level="warn", why="a slope off 1 misstates the risk"),
            verdict=Verdict.INCONCLUSIVE,
            subject=ece,
            message="The slope is 0.91 (95 % CI 0.79 to 1.03), which includes the limit of 0.9.",
            remedy="Recalibrate on fresh data.",
        ),
        Finding(
            limit=limit("selection_rate", by=("sex",), compare="ratio", min=0.8, why="the four-fifths rule", line=47),
            verdict=Verdict.PASS,
            subject=ratio,
            message="Women are approved 0.985 times as often as men, above 0.8.",
            remedy="Nothing to do.",
            comparison=comparison(0.985, 0.044, ({"sex": "female"}, {"sex": "male"}), (373, 1601)),
        ),
        Finding(
            limit=limit("duplicate_rows", max=0, level="fail", why="a duplicate counts twice", line=52),
            verdict=Verdict.FAIL,
            subject=measurement("duplicate_rows", 12, 0, 1989, unit="rows", method="count"),
            message="12 of 1,989 rows are duplicates; the limit is 0.",
            remedy="Remove the duplicates from the test file.",
            waiver=Waiver(
                limit="duplicate_rows",
                reason="joint applications are filed twice by design; ticket 4711",
                owner="Kim Okafor",
                expires=date(2027, 2, 28),
            ),
        ),
    )


def records() -> tuple[Record, ...]:
    selection = [measurement("selection_rate", 0.868, 0.015, 1989), *rates("selection_rate", RACE + SEX + CROSSED)]
    positives = rates("true_positive_rate", [(g, min(0.99, v + 0.08), int(n * 0.8)) for g, v, n in RACE + CROSSED])
    few = Omission(
        name="selection_rate",
        reason=Reason.INSUFFICIENT_DATA,
        detail="race = hispanic, sex = female has 26 rows, fewer than 30",
        remedy="collect 4 more rows or lower [stats] min_n",
        slice={"race": "hispanic", "sex": "female"},
        n=26,
    )
    crashed = Omission(name="", reason=Reason.ERROR, detail="ZeroDivisionError: division by zero", remedy="report it")
    profile = Table(
        name="columns",
        title="Columns of the test data",
        columns=("column", "kind", "missing", "distinct"),
        rows=(
            ("income", "number", 0, 1201),
            ("race", "category", 0, 3),
            ("sex", "category", 15, 2),
            ("note", "text", None, 3),
        ),
    )
    return (
        record("fairness.group_rates", Outcome(measurements=(*selection, *positives), omissions=(few,))),
        record(
            "performance.classification",
            Outcome(
                measurements=(
                    measurement("accuracy", 0.879, 0.014, 1989),
                    measurement("roc_auc", 0.836, 0.024, 1989, method="logit DeLong (DeLong 1988)"),
                    measurement("brier_score", 0.0921, 0.0083, 1989, method="Hall t (Hall 1992)"),
                ),
                evidence=curves()[1:],
            ),
        ),
        record(
            "calibration.reliability",
            Outcome(measurements=(measurement("calibration_slope", 0.91, 0.12, 1989),), evidence=curves()[:1]),
        ),
        record("attribution.shapley", Outcome(evidence=attributions())),
        record("attribution.image_maps", Outcome(evidence=tuple(image_map(d) for d in (2, 3, 5)))),
        record("energy.training_energy", energy()),
        record(
            "data.profile",
            Outcome(measurements=(measurement("duplicate_rows", 12, 0, 1989, unit="rows"),), evidence=(profile,)),
        ),
        Record(
            check="drift.population",
            family="drift",
            on="test",
            cost="instant",
            outcome=Outcome(omissions=(crashed,)),
            traceback="Traceback (most recent call last):\n  ...\nZeroDivisionError: division by zero",
        ),
    )


def record(check: str, outcome: Outcome) -> Record:
    return Record(check=check, family=check.partition(".")[0], on="test", cost="predict", outcome=outcome)


def rich(**changes: object) -> AuditRun:
    """A lending audit with every verdict, every kind of evidence, omissions and a crashed check."""
    fields: dict[str, object] = {
        "id": "7c1d" * 16,
        "name": "mortgage",
        "purpose": "Decide on home-loan applications",
        "verdict": Verdict.FAIL,
        "exit_code": 1,
        "exit_reason": "1 limit is not met.",
        "findings": findings(),
        "records": records(),
        "model": ModelSummary(
            kind="sklearn",
            name="Pipeline(LogisticRegression)",
            path="model.skops",
            sha256="ab" * 32,
            bytes=18_204,
            task="binary",
            classes=("no", "yes"),
            positive="yes",
            threshold=0.5,
            notes=("The threshold is the model's own; the deployed one was not given.",),
        ),
        "data": (
            DataSummary(
                name="test",
                path="test.parquet",
                sha256="cd" * 32,
                rows=1989,
                columns={"target": ("approve",), "groups": ("race", "sex"), "features": FEATURES},
            ),
        ),
        "spec": {
            "schema": 1,
            "name": "mortgage",
            "gate": {"inconclusive": "block"},
            "data": {"test": {"path": "test.parquet"}},
        },
        "spec_sha256": "ef" * 32,
        "packs": {"default@1": "01" * 32},
        "confidence": 0.95,
        "seed": 20261122,
        "measures": NOTES,
        "docs": {"fairness.group_rates": DOC, "performance.classification": "Accuracy and ranking of the model."},
        "notices": ("Grid intensity: Ember, CC-BY-4.0.",),
        "machine": Machine(
            created="2026-11-22T18:04:11Z",
            seconds=12.4,
            timings={"fairness.group_rates": 0.4, "attribution.shapley": 8.1},
            tool="assay 0.1.0",
            python="3.11.9",
            platform="Linux x86_64, 2 CPUs",
            packages={"numpy": "2.4.6", "torch": "2.13.0"},
            commit="383a9f7+",
            command="audit run audit.toml",
        ),
    }
    return AuditRun(**{**fields, **changes})  # type: ignore[arg-type]
