"""The evidence of global importance: a ranking and ranks that hold for all columns at once, and their errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.attribution import Explanation
from audit.attribution.importance import Ranked, errors_by_source, ranked
from audit.inputs.explanations import Explanations
from audit.results import Measurement, RankedItem, Ranking, Table
from audit.stats import generator


def rankings(measured_ones: list[Measurement], kept: Explanation, level: float) -> Iterator[Ranking | Table]:
    """Nothing where nothing was measured."""
    if not measured_ones:
        return
    places = [kept.names.index(_name(m)) for m in measured_ones]
    all_at_once = ranked(np.abs(kept.values[:, places]), level, generator(kept.seed, "importance.ranks"))
    yield _ranking(measured_ones, all_at_once, kept, level)
    yield _ranks(measured_ones, all_at_once, level)


def _name(measured: Measurement) -> str:
    """The column or group that it is about."""
    return str(measured.params["feature"])


def _ranking(measured_ones: list[Measurement], found: Ranked, kept: Explanation, level: float) -> Ranking:
    return Ranking(
        name="global_importance",
        title="Which columns move the output",
        unit=kept.unit,
        level=level,
        method=f"bootstrap-t, simultaneous over {len(measured_ones)} columns (max-T)",
        n=kept.n,
        items=tuple(
            RankedItem(label=_name(m), value=m.value, lower=min(float(low), m.value), upper=max(float(up), m.value))
            for m, low, up in zip(measured_ones, found.lower, found.upper, strict=True)
        ),
        note=f"Mean absolute contribution to {kept.scalar}. {kept.method}; {kept.value_function}. {kept.note}".strip(),
        quantity="mean absolute contribution",
    )


def _ranks(measured_ones: list[Measurement], found: Ranked, level: float) -> Table:
    return Table(
        name="importance_ranks",
        title="How sure the order is",
        columns=("column", "highest rank", "lowest rank", "share of resamples among the first three"),
        rows=tuple(
            (_name(m), int(best), int(worst), float(top))
            for m, best, worst, top in zip(measured_ones, found.best, found.worst, found.top, strict=True)
        ),
        note=f"The ranks hold for all columns at once ({level:.0%}).",
    )


_SOURCES = {"rows": "the rows explained", "background": "the background rows", "sampling": "the computation"}


def facts(given: Explanations) -> Table:
    """How the contributions were made, and what their importances may be off by."""
    found = given.overall
    errors = errors_by_source(found)
    shares = tuple((f"error of the importances from {_SOURCES[name]}, share", errors[name]) for name in errors)
    within = [name for name in given.sensitive if name not in found.names]
    alone = (("explained by themselves in comparisons of groups", ", ".join(within)),) if within else ()
    return Table(
        name="attribution_quality",
        title="How these contributions were made",
        columns=("fact", "value"),
        rows=(*found.facts, *alone, *shares),
    )
