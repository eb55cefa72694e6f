"""Contributions by which groups are compared: enough rows of each, and for several classes one class at a time.

The rows of the shared sample are the start. A side of a comparison that has few of them, though the data hold more, is
given rows of its own, drawn at random from that side. They count in comparisons of that side alone: there, all rows of
the side are a random sample of it, and no weights are needed; the sample itself is left as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.attribution.explanation import Explanation
from audit.attribution.players import sensitive_apart
from audit.attribution.tables import EVALUATIONS, explain_table
from audit.case import Case
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.explanations import Explanations
from audit.inputs.groups import Groups, GroupSet, Slice
from audit.inputs.predictions import Predictions, relevant_class
from audit.models import Model
from audit.stats import generator

REQUIRES = {
    "model": True,
    "kinds": ("number", "category", "text"),
    "tasks": ("binary", "multiclass", "regression", "ranking"),
}

FEWEST, ENOUGH = 30, 50  # rows of a side: below the first it is given as many as the second
MOST_EXTRA = 4  # times as many rows as the sample, for the largest sides first: each row costs as much
MOST_CLASSES = 20  # the most often predicted
FEWEST_EVALUATIONS = 500

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]
Owned = dict[bytes, Places]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A group against all others: places of both within the explained rows."""

    slice: Slice
    inside: Places
    outside: Places

    @property
    def at(self) -> Places:
        """The rows that are compared, in the order of the data."""
        return np.sort(np.concatenate([self.inside, self.outside]))

    @property
    def group(self) -> Mask:
        """Which of the rows of ``at`` are in the group."""
        return np.isin(self.at, self.inside)


@dataclass(frozen=True, kw_only=True)
class GroupExplanations:
    """``explanations[c]`` is about ``classes[c]`` over the same ``rows`` (places in the data); one without a name where
    the model has one score. ``left_out`` are classes that are not explained. Rows whose sums miss are left out."""

    classes: tuple[str, ...]
    explanations: tuple[Explanation, ...]
    rows: Places
    contrasts: tuple[Contrast, ...]
    left_out: tuple[str, ...] = ()


def group_explanations(
    case: Case,
    model: Model,
    data: Dataset,
    predictions: Predictions,
    groups: Groups,
    explanations: Explanations,
    seed: int,
) -> GroupExplanations:
    """Unavailable when no sensitive column is named, or all rows are of one group."""
    single = [one for one in groups.sets if len(one.columns) == 1]
    if not single:
        raise Unavailable("missing_input", "no column has the role groups", "name groups in [data.test]")
    usable = np.ones(data.n, dtype=bool) if predictions.decided is None else predictions.decided
    sample = explanations.rows
    owned = rows_of_their_own(single, usable, sample, seed)
    extra = np.setdiff1d(np.concatenate([sample[:0], *owned.values()]), sample)
    data = sensitive_apart(data)
    classes, left_out = _classes(predictions)
    background = case.datasets.get("train")
    if classes == ("",):
        positive = case.positive or relevant_class(case, data, model)
        one, rows = _with_extra(model, data, explanations.compared, sample, extra, background, positive, seed)
        found: tuple[Explanation, ...] = (one,)
    else:
        rows = np.union1d(sample, extra)
        evaluations = max(FEWEST_EVALUATIONS, EVALUATIONS // len(classes))
        found = tuple(
            explain_table(
                model, data, rows=rows, background=background, evaluations=evaluations, target=name, seed=seed
            )
            for name in classes
        )
    return compared(found, classes, rows, single, usable, sample, owned, left_out)


def compared(
    found: tuple[Explanation, ...],
    classes: tuple[str, ...],
    rows: Places,
    single: list[GroupSet],
    usable: Mask,
    sample: Places,
    owned: Owned,
    left_out: tuple[str, ...] = (),
) -> GroupExplanations:
    """The explanations of ``rows`` with the comparisons that they allow."""
    trusted = np.logical_and.reduce([one.trusted for one in found])
    kept = rows[trusted]
    contrasts = tuple(_contrasts(single, usable, kept, sample, owned))
    if not contrasts:
        raise Unavailable("undefined", "the explained rows are of one group", "give rows of at least two groups")
    return GroupExplanations(
        classes=classes,
        explanations=tuple(one.take(trusted) for one in found),
        rows=kept,
        contrasts=contrasts,
        left_out=left_out,
    )


def rows_of_their_own(single: list[GroupSet], usable: Mask, sample: Places, seed: int) -> Owned:
    """For each side of a comparison that the sample holds too few of: as many more, by the side's own mask."""
    sides = {side.tobytes(): side for side in _sides(single, usable) if side[sample].sum() < FEWEST}
    owned: Owned = {}
    left = MOST_EXTRA * len(sample)
    for key, side in sorted(sides.items(), key=lambda item: (-int(item[1].sum()), item[0])):
        rest = np.setdiff1d(np.flatnonzero(side), sample)
        wanted = min(ENOUGH - int(side[sample].sum()), len(rest))
        if wanted > left:
            break
        left -= wanted
        order = generator(seed, "group_explanations").permutation(rest)  # whatever the group is called
        owned[key] = np.sort(order[:wanted])
    return owned


def _sides(single: list[GroupSet], usable: Mask) -> Iterator[Mask]:
    """Every group and all that are not in it, where the data hold enough for a comparison."""
    for one in single:
        for code in range(len(one.levels)):
            inside = usable & (one.codes == code)
            yield from (side for side in (inside, usable & ~inside) if side.sum() >= FEWEST)


def _contrasts(single: list[GroupSet], usable: Mask, rows: Places, sample: Places, owned: Owned) -> Iterator[Contrast]:
    shared = np.isin(rows, sample)
    for one in single:
        present = [code for code in range(len(one.levels)) if (usable & (one.codes == code)).any()]
        for code in present if len(present) > 1 else []:
            inside = usable & (one.codes == code)
            sides = []
            for side in (inside, usable & ~inside):
                own = owned.get(side.tobytes(), sample[:0])
                sides.append(np.flatnonzero((shared & side[rows]) | np.isin(rows, own)))
            yield Contrast(slice=one.levels[code], inside=sides[0], outside=sides[1])


def _classes(predictions: Predictions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes to explain one by one, and those that are too many."""
    if predictions.task != "multiclass" or predictions.decision is None:
        return ("",), ()
    counts = np.bincount(predictions.decision[predictions.decision >= 0], minlength=len(predictions.classes))
    often = set(np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist())
    named = [(name, code in often) for code, name in enumerate(predictions.classes)]
    return tuple(name for name, kept in named if kept), tuple(name for name, kept in named if not kept)


def _with_extra(
    model: Model,
    data: Dataset,
    overall: Explanation,
    sample: Places,
    extra: Places,
    background: Dataset | None,
    positive: str | None,
    seed: int,
) -> tuple[Explanation, Places]:
    """The shared explanation and that of the extra rows; all anew where the two would not be made alike."""
    if not len(extra):
        return overall, sample
    more = explain_table(
        model,
        data,
        rows=extra,
        background=background,
        background_rows=overall.background_n,
        positive=positive,
        seed=seed,
    )
    if (more.method, more.value_function) == (overall.method, overall.value_function):
        rows = np.concatenate([sample, extra])
        order = np.argsort(rows, kind="stable")
        return _joined(overall, more).take(order), rows[order]
    rows = np.union1d(sample, extra)
    return explain_table(model, data, rows=rows, background=background, positive=positive, seed=seed), rows


def _joined(first: Explanation, second: Explanation) -> Explanation:
    return replace(
        first,
        values=np.concatenate([first.values, second.values]),
        standard_errors=np.concatenate([first.standard_errors, second.standard_errors]),
        base=np.concatenate([first.base, second.base]),
        output=np.concatenate([first.output, second.output]),
        completeness=np.concatenate([first.completeness, second.completeness]),
        targets=first.targets + second.targets,
        evaluations=first.evaluations + second.evaluations,
        halves=None,
    )
