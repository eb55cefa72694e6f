"""Size of the model: its learned numbers, its bytes, its operations per inference.

Why it matters: size decides where a model can run and what each answer costs. Pruning and quantisation promise a
smaller one; what they reached shows in the numbers that are not 0 and in the bytes, not in the claim.

How it is measured: counted, so exact. Parameters are all learned numbers: of a network those of its state dictionary,
packed weights of quantised layers included (their ``parameters()`` is empty) and running statistics left out; of trees
the values of the leaves and two numbers a split; of a linear model weights and intercepts; of ONNX its initialisers.
The size is that of the file, or what saving a model held in memory would take. Operations of one inference are counted
for networks, on a copy without numbers; a multiply-add is two, and where an operation has no formula the count says
that it understates. The same for each of ``[model] variants``, and its size as a share of the model's.

How to reduce the risk: quantise to int8 or prune, give the result as one of ``[model] variants``, and look at what it
changes for each group before it replaces the model.

Sources: Han, Mao & Dally, ICLR 2016 (pruning and quantisation); Gale, Elsen & Hooker 2019, arXiv 1902.09574.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Model
from audit.models.base import Differentiable
from audit.models.loading import LoadedModel
from audit.models.size import numbers_of, size_of
from audit.results import Outcome, Scalar
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "model_size": {"unit": "B", "better": "lower", "words": "size of the model", "params": {"variant": "str"}},
    "relative_model_size": {
        "unit": "1",
        "better": "lower",
        "words": "size of a variant over that of the model",
        "params": {"variant": "each"},
    },
    "model_parameters": {"unit": "numbers", "better": "lower", "words": "parameters", "params": {"variant": "str"}},
    "nonzero_parameters": {
        "unit": "numbers",
        "better": "lower",
        "words": "parameters that are not 0",
        "params": {"variant": "str"},
    },
    "trainable_parameters": {
        "unit": "numbers",
        "better": "none",
        "words": "parameters that training may change",
        "params": {"variant": "str"},
    },
    "inference_flops": {
        "unit": "FLOP",
        "better": "lower",
        "words": "floating-point operations of one inference",
        "params": {"variant": "str"},
    },
}
ROWS_COUNTED = 2  # enough for a batch normalisation; operations are proportional to the rows
Counted = tuple[float, str]


@check(cost="instant")
def model_size(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    loaded = case.loaded
    if loaded is None:
        raise Unavailable("missing_input", "only predictions were given, no model", "give [model] path")
    _all(sheet, loaded, case, data, {})
    for name, variant in case.variants.items():
        about: Mapping[str, Scalar] = {"variant": name}
        _all(sheet, variant, case, data, about)
        _add(sheet, "relative_model_size", partial(_relative, variant, loaded), about)
    return sheet.outcome()


def _all(sheet: Sheet, loaded: LoadedModel, case: Case, data: Dataset, about: Mapping[str, Scalar]) -> None:
    _add(sheet, "model_size", partial(size_of, loaded), about)
    for name, part in (
        ("model_parameters", "parameters"),
        ("nonzero_parameters", "nonzero"),
        ("trainable_parameters", "trainable"),
    ):
        _add(sheet, name, partial(_number, loaded, case, part), about)
    _add(sheet, "inference_flops", partial(_flops, loaded.model, data), about)


def _add(sheet: Sheet, name: str, count: Callable[[], Counted], about: Mapping[str, Scalar]) -> None:
    """A counted number; what was counted goes where its method goes."""
    try:
        value, what = count()
    except Unavailable as why:
        sheet.omit(name, why, n=0, rows=0, params=about)
        return
    sheet.add(name, partial(exact, value), n=1, params=about)
    sheet.measurements[-1] = replace(sheet.measurements[-1], method=f"counted: {what}")


def _relative(variant: LoadedModel, loaded: LoadedModel) -> Counted:
    mine, its = size_of(variant), size_of(loaded)
    return mine[0] / its[0], f"{mine[1]} over {its[1]}"


def _number(loaded: LoadedModel, case: Case, part: str) -> Counted:
    numbers = numbers_of(loaded, case.root)
    value: int | None = getattr(numbers, part)
    if value is None:
        detail = f"{loaded.model.name} does not say what of it may still be trained"
        raise Unavailable("not_applicable", detail, "nothing to do")
    return value, numbers.what


def _flops(model: Model, data: Dataset) -> Counted:
    if not isinstance(model, Differentiable):
        detail = f"operations are counted for torch networks, and this is {model.kind}"
        raise Unavailable("not_applicable", detail, "compare CPU time: run with --cost timing")
    from audit.energy.flops import count_flops  # torch is needed for networks alone

    inputs = model.encode(data.take(range(min(ROWS_COUNTED, data.n))).features)
    count = count_flops(model.module, inputs, backward=False)
    short = f"; understates, no formula for {', '.join(count.uncounted)}" if count.understated else ""
    return count.per_row, f"operations of one row, forward{short}; {'; '.join(count.notes)}"
