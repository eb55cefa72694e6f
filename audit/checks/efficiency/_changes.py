"""What a variant decides otherwise than the model, as measurements of one group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.checks._support import Params, Sheet
from audit.checks.efficiency._paired import Line, Mask, Places, change, detectable, margin
from audit.errors import Unavailable
from audit.inputs.groups import Groups, Slice
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variant, Variants
from audit.results import Basis
from audit.stats import exact

NO_LABEL = Unavailable("missing_input", "no row has a label", "give target in [data.test]")
NO_SEED = Unavailable(
    "missing_input",
    "how many decisions another training would change is not known",
    "give the model trained with another seed as a variant named seed2",
)
Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The rows that the model decided: what it, the variant and the seeds decided, and the truth (-1: not known)."""

    name: str
    rows: Places  # in the data
    model: Codes
    variant: Codes
    label: Codes
    seeds: tuple[Codes, ...]  # of other trainings, without the variant itself
    positive: int  # -1 where the task is not binary
    favourable: int

    @classmethod
    def of(cls, variant: Variant, variants: Variants, predictions: Predictions) -> Decided:
        rows = variants.rows
        label = predictions.label
        return cls(
            name=variant.name,
            rows=rows,
            model=_codes(predictions, rows),
            variant=_codes(variant.predictions, rows),
            label=np.full(len(rows), -1, dtype=np.int32) if label is None else label[rows],
            seeds=() if variant.is_seed else tuple(_codes(seed.predictions, rows) for seed in variants.seeds),
            positive=predictions.positive if predictions.task == "binary" else -1,
            favourable=predictions.favourable,
        )

    @property
    def about(self) -> Params:
        return {"variant": self.name}

    @property
    def changed(self) -> Mask:
        return np.asarray(self.model != self.variant)

    @property
    def labelled(self) -> Mask:
        return self.label >= 0

    @property
    def by_seeds(self) -> NDArray[np.float64] | None:
        """Share of the seeds that decided each row otherwise than the model; None where there is no seed."""
        return np.mean([seed != self.model for seed in self.seeds], axis=0) if self.seeds else None

    def rates(self) -> dict[str, tuple[Mask, Mask, Mask]]:
        """By measure: the rows that the rate is about, and the successes of variant and model among all rows."""
        found = {"variant_accuracy_change": (self.labelled, self.variant == self.label, self.model == self.label)}
        if self.positive >= 0:
            anywhere, selected = np.ones(len(self.rows), dtype=bool), (self.variant == self.favourable)
            found["variant_selection_rate_change"] = (anywhere, selected, self.model == self.favourable)
            ours, theirs = self.variant == self.positive, self.model == self.positive
            truth = self.label == self.positive
            found["variant_true_positive_rate_change"] = (self.labelled & truth, ours, theirs)
            found["variant_false_positive_rate_change"] = (self.labelled & ~truth, ours, theirs)
        return found


def _codes(predictions: Predictions, rows: Places) -> Codes:
    """Decisions of these rows; -1, which is no class, where there is none."""
    if predictions.decision is None:
        return np.full(len(rows), -1, dtype=np.int32)
    return np.asarray(predictions.decision[rows])


def add_changes(sheet: Sheet, found: Decided, group: Slice, at: Places, sampling: Sampling) -> None:
    """Churn, its excess over chance, and the change of each rate, for the rows ``at`` of one group."""
    rows = found.rows[at]
    churn = partial(sampling.rate, found.changed[at], rows, "decided")
    sheet.add("variant_churn", churn, n=len(at), slice=group, params=found.about)
    if found.seeds:
        excess = partial(_excess, found, at, sampling)
        sheet.add("variant_excess_churn", excess, n=len(at), slice=group, params=found.about)
    for name, (about, variant, model) in found.rates().items():
        here = at[about[at]]
        gap = partial(change, sampling, variant[here], model[here], found.rows[here])
        sheet.add(name, gap, n=len(here), rows=len(at), slice=group, params=found.about)


def _excess(found: Decided, at: Places, sampling: Sampling) -> Basis:
    """Changed by the variant minus changed by another training, on the same rows."""
    if len(found.seeds) == 1:
        return change(sampling, found.changed[at], (found.seeds[0] != found.model)[at], found.rows[at])
    by_seeds = found.by_seeds
    if by_seeds is None:
        raise NO_SEED
    return sampling.mean(found.changed[at] - by_seeds[at], found.rows[at])


def add_overall(sheet: Sheet, found: Decided, sampling: Sampling) -> None:
    """What all labelled rows could have shown, and the margin within which they show the variant to be equal."""
    about, variant, model = found.rates()["variant_accuracy_change"]
    n = int(about.sum())
    if not found.seeds and not found.name.startswith("seed"):
        sheet.omit("variant_excess_churn", NO_SEED, n=0, rows=len(found.rows), params=found.about)
    if not n:
        for name in ("variant_detectable_change", "variant_equivalence_margin"):
            sheet.omit(name, NO_LABEL, n=0, rows=len(found.rows), params=found.about)
        return
    smallest = detectable(float(found.changed[about].mean()), n)
    sheet.add("variant_detectable_change", partial(exact, smallest), n=n, params=found.about)

    def shown() -> Basis:
        gap = change(sampling, variant[about], model[about], found.rows[about])
        return exact(margin(gap, sheet.level))

    sheet.add("variant_equivalence_margin", shown, n=n, params=found.about)


def table_lines(found: Decided, groups: Groups) -> list[Line]:
    """The labelled rows of all and of each group."""
    about, variant, model = found.rates()["variant_accuracy_change"]
    by_seeds = found.by_seeds
    lines = []
    for group, at in groups.over(found.rows):
        here = at[about[at]]
        if len(here):
            seeds = None if by_seeds is None else by_seeds[here]
            lines.append(
                Line(group=group, variant=variant[here], model=model[here], changed=found.changed[here], by_seeds=seeds)
            )
    return lines
