"""The combinations of feature values where the model errs more than chance explains.

Why it matters: a model that is right 90 % of the time can be wrong half of the time for young applicants with two jobs.
Averages hide such places, nobody thinks of them beforehand, and the people in them meet the errors again and again.

How it is measured: every value of every feature, and every combination of two (or three) features, with at least 30
rows, is tested against the overall error rate by the exact hypergeometric test, or, with against = "scores", against
the errors that the model's own probabilities predict (Hoeffding's bound). All combinations are fixed before errors are
looked at and Holm's correction covers them all, so that in data without such a place one is named in at most one of
twenty audits. Numbers are cut into fifths. Of combinations that overlap only those are kept that stand out in rows that
no other explains. The interval of a slice's error rate holds for all slices tested together, since this one was picked
for being the worst. That a slice stands out says where errors are, not why.

How to reduce the risk: Read wrongly decided rows of the first slice with somebody who knows the cases. Then collect
more rows like them, add the feature that would tell them apart, or route such cases to a person.

Sources: Chung et al., IEEE TKDE 2020 (slice finding); Sagadeeva & Boehm, SIGMOD 2021; Holm, Scandinavian Journal of
Statistics 6, 1979; Hoeffding, Annals of Mathematical Statistics 27, 1956.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.classified import Classified
from audit.inputs.feature_levels import FeatureLevels
from audit.inputs.predictions import Predictions
from audit.results import Outcome, Scalar, Table
from audit.stats import FoundSlice, SliceSearch, exact, find_slices, interval, selected_rate

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
    feature_levels: FeatureLevels,
    data: Dataset,
    level: float,
    params: Params = Params(),
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    n, given = len(classified.rows), _changed(params)
    try:
        search = _searched(classified, predictions, feature_levels, data, params, 1 - level)
    except Unavailable as why:
        sheet.omit("significant_slices", why, n=n, rows=n, params=given)
        return sheet.outcome()
    sheet.add("significant_slices", partial(exact, len(search.found)), n=n, params=given)
    for one in search.found:
        rule = _words(one, feature_levels)
        rate = partial(selected_rate, one.k, one.n, search.tested)
        sheet.add("slice_error_rate", rate, n=one.n, slice=rule, params=given, columns=tuple(rule))
    return sheet.outcome(_table(search, feature_levels, params, level))


def _searched(
    found: Classified, given: Predictions, features: FeatureLevels, data: Dataset, params: Params, alpha: float
) -> SliceSearch:
    if params.depth not in MOST_COLUMNS or params.against not in ("overall", "scores"):
        detail = f'there is no search with depth = {params.depth}, against = "{params.against}"'
        raise Unavailable("not_applicable", detail, 'use depth 1, 2 or 3 and against "overall" or "scores"')
    if data.roles.cluster:
        detail = f"rows of one {data.roles.cluster} err alike, and the exact test takes rows to be independent"
        raise Unavailable("not_applicable", detail, f"keep one row of each {data.roles.cluster}")
    most = MOST_COLUMNS[params.depth]
    if len(features.names) > most:
        detail = f"{len(features.names)} columns have too many combinations at depth {params.depth}, {most} are allowed"
        raise Unavailable("not_applicable", detail, "lower depth, or name fewer features")
    columns = [one.codes[found.rows] for one in features.columns]
    sizes = [len(one.levels) for one in features.columns]
    chance = _chance(found, given) if params.against == "scores" else None
    wrong = found.label != found.decision
    return find_slices(columns, sizes, wrong, chance=chance, depth=params.depth, alpha=alpha)


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


def _words(one: FoundSlice, features: FeatureLevels) -> dict[str, str | None]:
    return {features.names[column]: features.columns[column].levels[level] for column, level in one.rule}


def _table(search: SliceSearch, features: FeatureLevels, params: Params, level: float) -> Table:
    against = "the overall error rate" if params.against == "overall" else "what the scores predict"
    skipped = f" Not searched: {', '.join(features.skipped)}." if features.skipped else ""
    return Table(
        name="worst_slices",
        title="Where the model errs most",
        columns=("slice", "rows", "error rate", "expected", "lower", "upper", "adjusted p"),
        rows=tuple(_line(one, search.tested, features, level) for one in search.found),
        note=f"Of {search.tested:,} slices tested against {against}, those that stand out (Holm). Bounds and p hold "
        f"for all of them together.{skipped}",
    )


def _line(one: FoundSlice, tested: int, features: FeatureLevels, level: float) -> tuple[Scalar, ...]:
    bounds, rule = interval(selected_rate(one.k, one.n, tested), level), _words(one, features)
    name = " and ".join(f"{column} = {'missing' if value is None else value}" for column, value in rule.items())
    return name, one.n, one.k / one.n, one.expected / one.n, bounds.lower, bounds.upper, one.p
