"""Which columns move the model's output, and by how much.

Why it matters: a column that should not count, a proxy or a leak, shows here first. Reviewers and the people who are
decided about ask for the main reasons before they ask for accuracy.

How it is measured: rows of a seeded sample are split into one contribution a column, so that base plus contributions
gives the output: Shapley values over a background sample for any model, expected gradients for a torch network. A
column's importance is the mean absolute contribution, with Hall's interval over the rows (the background is held
fixed). The ranking shows intervals that hold for all columns at once (bootstrap-t of the largest deviation), and a
table the ranks that hold for all columns at once, and how often resampled rows put a column among the first three. The
errors that come from the rows, from the background and from sampling are told apart. The relative error of every row's
sum is measured; rows beyond 5 % are withheld. Columns that [feature_groups] names together are one player and one bar.
A sensitive column that is in such a group with others is explained once more by itself for its own share. A
contribution says what the model used, not what would happen if the value changed; a sensitive attribute may also act
through other columns, which its own share does not show.

How to reduce the risk: question the columns at the top with those who know the domain; remove leaks and proxies and
retrain; where a sensitive column counts, compare the groups' error rates with and without it.

Sources: Lundberg & Lee, NeurIPS 2017; Janzing et al., AISTATS 2020; Erion et al., Nature Machine Intelligence 2021;
Sundararajan et al., ICML 2017; Bilodeau et al., PNAS 2024 (what attributions cannot answer); Hall, JRSS B 1992;
Mogstad et al., Review of Economic Studies 2024 (ranks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from audit.attribution import RED, Explanation
from audit.attribution.importance import mean_absolute, share
from audit.attribution.players import unknown
from audit.check import check
from audit.checks.attribution._rankings import facts, rankings
from audit.errors import Unavailable
from audit.inputs.explanations import Explanations
from audit.results import Basis, Measurement, Omission, Outcome, Reason
from audit.stats import exact, measured

MEASURES = {
    "mean_absolute_attribution": {
        "unit": "output",  # that of what is explained: log-odds, probability, logit, the target's own
        "better": "none",
        "words": "mean absolute contribution of a column to the output",
        "params": {"feature": "str"},
    },
    "sensitive_attribution_share": {
        "unit": "1",
        "better": "none",
        "words": "share of all contributions that sensitive columns make themselves",
        "params": {"feature": "str"},
    },
    "attribution_completeness_error": {"unit": "1", "better": "lower", "words": "median relative error of the sums"},
}

IMPORTANCE, SHARE = "mean_absolute_attribution", "sensitive_attribution_share"
MOST = 100  # columns that are measured one by one; the largest are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    feature: str = ""  # "": every column


@check(cost="gradient")
def global_importance(explanations: Explanations, level: float, params: Params = Params()) -> Outcome:
    found = explanations.overall
    kept = found.take(found.trusted)
    wanted = [j for j in _largest_first(kept) if params.feature in {"", kept.names[j]}]
    importance = [
        _attempt(IMPORTANCE, partial(mean_absolute, kept, j), kept, level, kept.names[j]) for j in wanted[:MOST]
    ]
    found_ones = [one for one in importance if isinstance(one, Measurement)]
    both = [*importance, *_shares(explanations, level, params)]
    return Outcome(
        measurements=(*(r for r in both if isinstance(r, Measurement)), *_completeness(found, level, params)),
        omissions=(*_omissions(explanations, params), *(r for r in both if isinstance(r, Omission))),
        evidence=(*rankings(found_ones, kept, level), facts(explanations)),
    )


def _largest_first(kept: Explanation) -> list[int]:
    return [int(j) for j in np.argsort(-np.abs(kept.values).sum(axis=0), kind="stable")]


def _shares(explanations: Explanations, level: float, params: Params) -> Iterator[Measurement | Omission]:
    """Each sensitive column's own share and, first, that of all of them together."""
    compared = explanations.compared
    kept = compared.take(compared.trusted)
    mine = [j for j in _largest_first(kept) if kept.names[j] in explanations.sensitive]
    if mine and not params.feature:
        yield _attempt(SHARE, partial(share, kept, mine), kept, level)
    for j in [j for j in mine if params.feature in {"", kept.names[j]}]:
        yield _attempt(SHARE, partial(share, kept, [j]), kept, level, kept.names[j])


def _attempt(
    name: str, make: Callable[[], Basis], kept: Explanation, level: float, feature: str = ""
) -> Measurement | Omission:
    params = {"feature": feature} if feature else {}
    unit, columns = kept.unit if name == IMPORTANCE else "1", kept.columns_of(feature) if feature else ()
    try:
        return measured(name=name, basis=make(), level=level, n=kept.n, unit=unit, params=params, columns=columns)
    except Unavailable as why:
        detail, reason = f"{feature}: {why}" if feature else str(why), Reason(why.reason)
        return Omission(name=name, reason=reason, detail=detail, remedy=why.remedy, params=params, n=kept.n)


def _completeness(found: Explanation, level: float, params: Params) -> Iterator[Measurement]:
    if not params.feature:  # it belongs to the rows, not to a feature
        basis = exact(float(np.median(found.completeness)))
        yield measured(name="attribution_completeness_error", basis=basis, level=level, n=found.n, unit="1")


def _omissions(explanations: Explanations, params: Params) -> Iterator[Omission]:
    found = explanations.overall
    lost = int((~found.trusted).sum())
    if lost:
        detail = f"{lost} of {found.n} rows: their contributions miss the output by more than {RED:.0%}"
        yield _omission(IMPORTANCE, Reason.WITHHELD, detail, "give a smoother model", lost)
    if params.feature and params.feature not in found.names:
        why = unknown(params.feature, found.names, found.groups)
        yield _omission(IMPORTANCE, Reason.NOT_APPLICABLE, *why, 0)
    if not explanations.sensitive:
        detail = "no sensitive column is a feature of the model; others may still stand in for one"
        remedy = "compare the groups' rates and errors instead"
        yield _omission(SHARE, Reason.NOT_APPLICABLE, detail, remedy, 0)


def _omission(name: str, reason: Reason, detail: str, remedy: str, n: int) -> Omission:
    return Omission(name=name, reason=reason, detail=detail, remedy=remedy, n=n)
