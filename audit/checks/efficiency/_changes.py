"""What a variant decides otherwise beyond chance: the churn of other trainings of the same model beside its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.checks._pair_table import Heading
from audit.checks._pairs import Against, Codes, Pair, Places, change, codes_of
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Slice
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variant, Variants
from audit.results import Basis

NO_SEED = Unavailable(
    "missing_input",
    "how many decisions another training would change is not known",
    "give the model trained with another seed as a variant named seed2",
)


def against_model(variant: Variant) -> Against:
    return Against(before="variant_", about={"variant": variant.name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """A variant beside its model, and what other trainings (without the variant itself) decided on the same rows."""

    name: str
    pair: Pair
    seeds: tuple[Codes, ...]
    is_seed: bool

    @classmethod
    def of(cls, variant: Variant, variants: Variants, predictions: Predictions) -> Compressed:
        pair = Pair.of(against_model(variant), variant.predictions, predictions)
        others: Iterable[Variant] = () if variant.is_seed else variants.seeds
        seeds = tuple(codes_of(seed.predictions, pair.rows) for seed in others)
        return cls(name=variant.name, pair=pair, seeds=seeds, is_seed=variant.is_seed)

    @property
    def by_seeds(self) -> NDArray[np.float64] | None:
        """Share of the seeds that decided each row otherwise than the model; None where there is no seed."""
        return np.mean([seed != self.pair.old for seed in self.seeds], axis=0) if self.seeds else None

    @property
    def heading(self) -> Heading:
        unknown = " How much chance changes is not known: give a second training as a variant named seed2."
        return Heading(
            name=f"variant_{self.name}",
            title=f"The model and its form {wording.text(self.name)}, row by row",
            now="accuracy of the form",
            before="of the model",
            seed="changed by another seed",
            note="" if self.seeds else unknown,
        )


def add_excess(sheet: Sheet, found: Compressed, group: Slice, at: Places, sampling: Sampling) -> None:
    """Churn beyond that of another training; without one, an omission that is said once."""
    name, about, rows = "variant_excess_churn", found.pair.against.about, len(at)
    if found.seeds:
        sheet.add(name, partial(_excess, found, at, sampling), n=rows, slice=group, params=about)
    elif not group and not found.is_seed:
        sheet.omit(name, NO_SEED, n=0, rows=rows, params=about)


def _excess(found: Compressed, at: Places, sampling: Sampling) -> Basis:
    """Changed by the variant minus changed by another training, on the same rows."""
    pair, by_seeds = found.pair, found.by_seeds
    if by_seeds is None:
        raise NO_SEED
    if len(found.seeds) == 1:
        return change(sampling, pair.changed[at], by_seeds[at] > 0, pair.rows[at])
    return sampling.mean(pair.changed[at] - by_seeds[at], pair.rows[at])
