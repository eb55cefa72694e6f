"""Energy of one inference of a variant over that of the model: a ratio that needs no meter.

Why it matters: a smaller form of the model is there to save energy. Two energies known to a factor of two or three each
cannot show that; their ratio on one machine can, because what is not known of the machine cancels.

How it is measured: by duration times rating. The forms answer one row at a time on one thread, in turns, as in
``efficiency.latency``. The energy of an inference is idle power times its time by the clock, plus the power of a busy
thread times its processor time. Whatever the two powers are, the ratio of two such sums lies between the ratio of the
times by the clock and that of the processor times. The figure is the ratio of processor times; its 90 % range holds the
intervals of both ratios, from the order statistics of the blocks. Taken for granted: both forms draw the same power
while they compute. It is of the processor; a model on an accelerator gives none.

How to reduce the risk: measure on the device that it will run on; quantise or prune in a way that this device computes
faster; put a meter on it where the decision hangs on a few per cent.

Sources: as of ``efficiency.latency``; the affine power of ``energy.training_energy``.
"""

from __future__ import annotations

from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.efficiency._timing import MODEL, about, add, batch, models_of, time_models
from audit.compute.latency import Times, energy_ratio
from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Model
from audit.models.base import Differentiable
from audit.results import Basis, Outcome

MEASURES: dict[str, dict[str, object]] = {
    "relative_inference_energy": {
        "unit": "1",
        "better": "lower",
        "words": "energy of an inference of a variant over that of the model",
        "params": {"variant": "each"},
    },
}
METHOD = "duration x rating rung, chip boundary: ratio of processor times; both forms are taken to draw the same power"


@check(cost="timing")
def relative_energy(case: Case, model: Model, data: Dataset, level: float) -> Outcome:
    if not case.variants:
        detail = "there is no other form of the model to compare with"
        raise Unavailable("missing_input", detail, 'give [model] variants = { small = "small.onnx" }')
    models = models_of(case, model)
    if any(isinstance(one, Differentiable) and str(one.device) != "cpu" for one in models.values()):
        detail = "a model runs on an accelerator, whose energy the processor's time does not tell"
        raise Unavailable("not_applicable", detail, 'give device = "cpu" in [model], or compare inference_energy')
    found = time_models(models, batch(data, 1), case.spec.compute.seconds)
    sheet = Sheet(measures=MEASURES, level=level)
    theirs = found.times[MODEL]
    for name, times in found.times.items():
        if name != MODEL:
            method = f"{METHOD}; {len(times.wall)} pairs of blocks, timed in turns, {found.words}; {found.badge}"
            add(sheet, "relative_inference_energy", _ratio(times, theirs), n=times.calls + theirs.calls, method=method,
                params=about(name))  # fmt: skip
    return sheet.outcome()


def _ratio(one: Times, other: Times) -> Basis | Unavailable:
    try:
        return energy_ratio(one, other)
    except Unavailable as why:
        return why
