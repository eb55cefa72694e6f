"""Energy from what the training had to do and on what: operations over peak rate, or hours, times power.

Operations over ``peak x MFU`` give device seconds. The model FLOPs utilisation (MFU) is known only as a range, and the
range of the energy is that range: one number would not be evidence. Hardware that is not in the table is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.energy.devices import Device
from audit.energy.estimate import J_PER_KWH, EnergyEstimate, summed
from audit.energy.evidence import GPU_RATING_SHARE, RATING, RATING_SOURCE, Part
from audit.energy.hardware import Precision, accelerator, cpu
from audit.energy.ranges import Range, Term, combined, inverse

# Measured over estimated energy of 240 wall-metered runs at a fixed MFU of 0.3 is 0.85 to 21 on the GPU: small
# batches leave it idle. MFU of those runs: 0.8 % (5 %), 7 % (median), 32 % (95 %).
MFU = {"large": 0.38, "usual": 0.07, "processor": 0.2}
MFU_RANGE = {
    "large": Range(lower=0.3, upper=3.0),  # language models of 1e9 parameters and more report 20 to 55 %
    "usual": Range(lower=0.07 / 0.32, upper=0.07 / 0.008),
    "small": Range(lower=0.05, upper=20.0),  # at most 8 rows a step or fewer than 1e6 parameters: 0.1 to 30 %
    # 56 wall-metered runs of one desktop processor: MFU 3.5 % (5 %), 20 % (median), 54 % (95 %) of its peak. What the
    # machine draws beside its rating is a range of its own, because on one host the two cannot be told apart.
    "processor": combined([Range(lower=0.2 / 0.54, upper=0.2 / 0.035), RATING]),
}
LARGE_PARAMETERS, SMALL_PARAMETERS, SMALL_BATCH = 1e9, 1e6, 8
MFU_SOURCE = "MFU of 240 wall-metered runs on one host: Fischer 2025, arXiv 2509.22092"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a training had to compute: operations (forward and backward, all epochs and trials) of one network."""

    flops: float
    parameters: int
    batch: int | None  # rows of one step, None if not told
    precision: Precision | None
    assumptions: tuple[str, ...]


def size_class(work: Work) -> str:
    """ "large", "usual" or "small": how well such a training fills an accelerator."""
    if work.parameters >= LARGE_PARAMETERS:
        return "large"
    small = work.parameters < SMALL_PARAMETERS or (work.batch is not None and work.batch <= SMALL_BATCH)
    return "small" if small else "usual"


def _utilisation(work: Work, device: Device) -> tuple[float, Range]:
    """MFU of such a training on such a device, and the range around the energy that follows."""
    kind = size_class(work)
    if device.kind == "processor":
        return MFU["processor"], MFU_RANGE["small" if kind == "small" else "processor"]
    return MFU["large" if kind == "large" else "usual"], MFU_RANGE[kind]


def from_flops(work: Work, device: Device) -> EnergyEstimate:
    """``FLOPs / (peak x MFU) x P`` at the wall; the number of devices cancels out."""
    (mfu, around), precision = _utilisation(work, device), work.precision or "fp32"
    device_s, share = work.flops / (device.peak(precision) * mfu), device.used_share
    told = "" if work.precision else ", taken for granted"
    part = Part(
        term=Term(
            value=device_s * device.power_w * share,
            range=combined([around, inverse(device.rate_range), device.power_range]),
        ),
        rung="flops",
        method=f"{work.flops:.3g} operations over peak rate times MFU, times {share:g} of the rated power",
        assumptions=(
            f"{device.words}; {device.peak(precision) / 1e12:.4g} TFLOP/s at {precision}{told}",
            f"MFU {mfu:.0%}, of a {size_class(work)} training",
            *work.assumptions,
        ),
        source=f"{device.source}; {MFU_SOURCE}",
    )
    return summed([part], "system", ())


def rated_power_w(name: str, devices: int) -> tuple[float, str, str] | None:
    """(watts of all devices, in words, source) of an accelerator or CPU of exactly this name; None if unknown."""
    board, part = accelerator(name), cpu(name)
    if board is not None:
        return devices * board.board_w, f"{devices} x {board.name}, {board.board_w:g} W each", board.source
    if part is not None:
        return devices * part.tdp_w, f"{devices} x {part.name}, {part.tdp_w:g} W each", part.source
    return None


def from_hours(hours: float, name: str, devices: int) -> EnergyEstimate | None:
    """Duration times rated power, at the wall; None where the hardware is unknown."""
    rated = rated_power_w(name, devices)
    if rated is None:
        return None
    share = GPU_RATING_SHARE if accelerator(name) else 1.0
    part = Part(
        term=Term(value=hours / 1000 * J_PER_KWH * rated[0] * share, range=RATING),
        rung="duration_x_rating",
        method=f"{hours:g} h times {share:g} of the rated power",
        assumptions=(rated[1], "hours and hardware as stated in audit.toml"),
        source=f"{rated[2]}; {RATING_SOURCE}",
    )
    return summed([part], "system", ())
