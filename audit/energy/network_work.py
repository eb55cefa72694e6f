"""The work of training one network: its counted operations, times the rows that it saw."""

from __future__ import annotations

from torch import nn

from audit.energy.flops import Inputs, count_flops
from audit.energy.hardware import Precision
from audit.energy.work import Work


def work_of(module: nn.Module, inputs: Inputs, rows: float, *, batch: int | None, precision: Precision | None) -> Work:
    """Forward and backward operations of ``module`` over ``rows`` rows. Unavailable where they cannot be counted."""
    count = count_flops(module, inputs, backward=True)
    left_out = (f"FLOPs understate, no formula for: {', '.join(count.uncounted)}",) if count.understated else ()
    return Work(
        flops=count.per_row * rows,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        batch=batch,
        precision=precision,
        assumptions=(f"{rows:.3g} rows seen, validation not counted", *left_out, *count.notes),
    )
