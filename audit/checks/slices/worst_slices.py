"""The combinations of feature values where the model errs more than chance explains.

Why it matters: a model that is right 90 % of the time can be wrong half of the time for young applicants with two jobs.
Averages hide such places, nobody thinks of them beforehand, and the people in them meet the errors again and again.

How it is measured: every value of every feature, and every combination of two (or three) features, with at least 30
rows, is tested against the overall error rate by the exact hypergeometric test, or, with against = "scores", against
the errors that the model's own probabilities predict (Hoeffding's bound). Weighted rows are tested by the binomial tail
on the effective size of their weights, rows that come in clusters by a t test of the clusters' scores with one degree
of freedom less than there are clusters. All combinations are fixed before errors are looked at and Holm's correction
covers them all, so that in data without such a place one is named in at most one of twenty audits. Numbers are cut into
fifths. Columns of embeddings, and for pictures, text, series and sound what enters a network's last layer, join as
clusters (k-means, one for each 100 rows, 2 to 20 of them, and half as many, made without a look at the errors). Of
combinations that overlap only those are kept that stand out in rows that no other explains. The interval of a slice's
error rate holds for all slices tested together, since this one was picked for being the worst. That a slice stands out
says where errors are, not why.

How to reduce the risk: Read wrongly decided rows of the first slice with somebody who knows the cases. Then collect
more rows like them, add the feature that would tell them apart, or route such cases to a person.

Sources: Chung et al., IEEE TKDE 2020 (slice finding); Sagadeeva & Boehm, SIGMOD 2021; Eyuboglu et al., ICLR 2022
(slices of embeddings); Holm, Scandinavian Journal of Statistics 6, 1979; Hoeffding, Annals of Mathematical Statistics
27, 1956; Korn & Graubard, Survey Methodology 24, 1998; Liang & Zeger, Biometrika 73, 1986.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.slices._evidence import example_table, slice_table
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.classified import Classified
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.slice_columns import SliceColumns
from audit.results import Basis, Outcome, Scalar
from audit.stats import FoundSlice, SliceSearch, exact, find_slices

MEASURES = {
    "significant_slices": {
        "unit": "slices",
        "better": "lower",
        "words": "slices with more errors than chance explains",
        "params": {"depth": "int", "against": "str"},
    },
    "slice_error_rate": {
        "unit": "1",
        "better": "lower",
        "words": "share decided wrongly in a slice that stands out",
        "params": {"depth": "int", "against": "str"},
    },
}

MOST_COLUMNS = {1: 200, 2: 60, 3: 20}  # about 2,000 tables at most, so that the search takes a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    depth: int = 2  # columns in a combination, at most 3
    against: str = "overall"  # or "scores"


@check(cost="predict")
def worst_slices(
    classified: Classified,
    predictions: Predictions,
    slice_columns: SliceColumns,
    sampling: Sampling,
    case: Case,
    data: Dataset,
    level: float,
    params: Params = Params(),
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    n, given = len(classified.rows), _changed(params)
    try:
        search = _searched(classified, predictions, slice_columns, sampling, params, 1 - level)
    except Unavailable as why:
        sheet.omit("significant_slices", why, n=n, rows=n, params=given)
        return sheet.outcome()
    sheet.add("significant_slices", partial(exact, len(search.found)), n=n, params=given)
    for one in search.found:
        rule = slice_columns.words(one.rule)
        sheet.add("slice_error_rate", partial(_rate, one), n=one.n, slice=rule, params=given, columns=tuple(rule))
    examples = () if case.spec.evidence.rows == "none" else example_table(search.found, slice_columns, data, classified)
    return sheet.outcome(slice_table(search, slice_columns, params.against, search.test, level), *examples)


def _rate(one: FoundSlice) -> Basis:
    return one.rate


def _searched(
    found: Classified, given: Predictions, features: SliceColumns, sampling: Sampling, params: Params, alpha: float
) -> SliceSearch:
    if params.depth not in MOST_COLUMNS or params.against not in ("overall", "scores"):
        detail = f'there is no search with depth = {params.depth}, against = "{params.against}"'
        raise Unavailable("not_applicable", detail, 'use depth 1, 2 or 3 and against "overall" or "scores"')
    most = MOST_COLUMNS[params.depth]
    if len(features.names) > most:
        detail = f"{len(features.names)} columns have too many combinations at depth {params.depth}, {most} are allowed"
        raise Unavailable("not_applicable", detail, "lower depth, or name fewer features")
    columns = [one.codes[found.rows] for one in features.columns]
    sizes = [len(one.levels) for one in features.columns]
    return find_slices(
        columns,
        sizes,
        found.label != found.decision,
        chance=_chance(found, given) if params.against == "scores" else None,
        weight=None if sampling.weight is None else sampling.weight[found.rows],
        cluster=None if sampling.cluster is None else sampling.cluster[found.rows],
        depth=params.depth,
        alpha=alpha,
    )


def _chance(found: Classified, given: Predictions) -> NDArray[np.float64]:
    """What the model's own probabilities give for each decision being wrong."""
    decided = np.arange(len(found.rows)), found.decision
    if given.probability is not None:
        right = given.probability[found.rows][decided]
    elif given.score is not None and given.score_is_probability:
        score = given.score[found.rows]
        right = np.where(found.decision == found.positive, score, 1 - score)
    else:
        raise Unavailable("missing_input", "there are no probabilities", 'use against = "overall", or give scores')
    if not np.isfinite(right).all():
        raise Unavailable("undefined", "some probabilities are not finite", "find out why the model returns NaN")
    return np.clip(1 - right, 0.0, 1.0)


def _changed(params: Params) -> dict[str, Scalar]:
    given: dict[str, Scalar] = {"depth": params.depth, "against": params.against}
    return {name: value for name, value in given.items() if value != getattr(Params(), name)}
