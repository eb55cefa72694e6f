"""What two published ways to reduce a gap would do to this model: thresholds by group, and training with a constraint.

Why it matters: a finding without a next step is put aside. What a remedy gains and what it costs can be measured before
anyone commits to it.

How it is measured: on request only (audit run --cost retrain), for each sensitive column. Fairlearn's
ThresholdOptimizer chooses thresholds by group from the model's probabilities of [data.train] (equal selection;
equalized odds); ExponentiatedGradient trains clones of a scikit-learn model on [data.train] under a bound of 0.02 on
the same two. Each is then judged on the test rows: accuracy, and the largest gap in selection, true and false positive
rate, beside the model as it is. Both draw at random between decisions; what is shown is one draw with the audit's seed.
The numbers are descriptions without intervals: audit the remedied model before relying on it.

How to reduce the risk: Prefer a model trained with a constraint, or better features, to thresholds by group:
**thresholds that depend on the group can be unlawful** (disparate treatment), in lending and employment above all.

Sources: Hardt, Price & Srebro, NeurIPS 2016; Agarwal et al., ICML 2018; Weerts et al., JMLR 2023 (fairlearn).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.case import Case
from audit.check import check
from audit.checks.fairness._remedies import Labels, Side, remedies
from audit.compute import in_batches
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.predictions import class_codes
from audit.models import Model, ProbabilisticClassifier
from audit.results import Omission, Outcome, Reason, Table

REQUIRES = {"tasks": ("binary",)}

MEASURES: dict[str, dict[str, object]] = {}

COLUMNS = ("remedy", "constraint", "accuracy", "gap in selection", "gap in true positives", "gap in false positives")

Line = tuple[str, str, float, float | None, float | None, float | None]


@check(cost="retrain")
def mitigation(model: Model, case: Case, train: Dataset, data: Dataset, seed: int) -> Outcome:
    if case.task != "binary" or not isinstance(model, ProbabilisticClassifier):
        raise Unavailable("not_applicable", "it is for models that give probabilities of two classes", "nothing to do")
    if not data.roles.groups or not data.roles.target:
        raise Unavailable("missing_input", "it needs a target and a sensitive column", "give both in [data.test]")
    tables, omissions = [], []
    for column in data.roles.groups:
        learnt, judged = (_side(model, case, part, column) for part in (train, data))
        lines = [_line("none", "", judged, (judged.score >= _threshold(case)).astype(int))]
        for remedy, constraint, decide in remedies(model, learnt, judged, seed):
            try:
                lines.append(_line(remedy, constraint, judged, decide()))
            except (ValueError, TypeError, KeyError) as error:
                detail = f"{wording.label(column)}: {remedy} refused the data: {str(error).splitlines()[0]}"
                why = "give training rows of both labels in every group, and a model that takes sample weights"
                omissions.append(Omission(name="", reason=Reason.NOT_APPLICABLE, detail=detail, remedy=why))
        note = f"Judged on {len(judged.label):,} test rows. Thresholds that depend on the group can be unlawful."
        title = wording.text(f"What would help, by {column}")
        tables.append(Table(name=f"mitigation by {column}", title=title, columns=COLUMNS, rows=tuple(lines), note=note))
    return Outcome(evidence=tuple(tables), omissions=tuple(omissions))


def _threshold(case: Case) -> float:
    given = case.threshold
    return 0.5 if given is None else given


def _side(model: ProbabilisticClassifier, case: Case, rows: Dataset, column: str) -> Side:
    positive = case.classes.index(str(case.positive))
    target, groups = rows.codes(rows.roles.target), rows.codes(column)
    label = class_codes(np.array(target.levels, dtype=object), case.classes, "target")[target.codes]
    kept = np.flatnonzero(label >= 0)
    part = rows.take(kept)
    score = in_batches(model.predict_proba, part.features, case.spec.compute.batch)[:, positive]
    names = np.array([wording.group_value(level) for level in groups.levels], dtype=object)
    return Side(rows=part, label=(label[kept] == positive).astype(int), group=names[groups.codes[kept]], score=score)


def _line(remedy: str, constraint: str, judged: Side, decided: Labels) -> Line:
    everyone = np.ones(len(decided), dtype=bool)
    among = (everyone, judged.label == 1, judged.label == 0)
    selected, true, false = (_gap(decided, judged.group, mask) for mask in among)
    return remedy, constraint, float(np.mean(decided == judged.label)), selected, true, false


def _gap(decided: Labels, group: NDArray[np.object_], among: NDArray[np.bool_]) -> float | None:
    """Largest difference of two groups' rates; None where fewer than two groups have one."""
    rates = [decided[among & (group == name)].mean() for name in np.unique(group[among].astype(str))]
    return float(max(rates) - min(rates)) if len(rates) > 1 else None
