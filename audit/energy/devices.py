"""What a training computes on: peak rate of operations and rated power, of a known part or of a fingerprinted host.

The peak of a processor is ``cores x clock x operations a cycle`` of its fused multiply-add units. The clock is the
highest that the maker states for one core, so that the product is a bound. A host whose part is not in the tables gets
bounds from what its kernel tells: the instruction sets, the cores and the highest clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import sqrt
from types import MappingProxyType
from typing import Literal

from audit.energy.evidence import GPU_RATING_SHARE
from audit.energy.hardware import UNKNOWN_BUSY_BOUNDS_W, Accelerator, Cpu, Precision, accelerator, cpu, table
from audit.energy.host import Host
from audit.energy.ranges import EXACT, Range

GIGA = 1e9
CLOCK_GHZ = (2.0, 6.0)  # of server and desktop parts of the last ten years, where the kernel tells no clock
# FP32 operations a cycle of one core, lowest and highest of the parts that have the instruction set.
PER_CYCLE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "avx512f": (32.0, 64.0),  # one or two units of 512 bits; Zen 4 has two of 256
        "fma": (16.0, 32.0),  # two of 128 bits (Zen, Gracemont) or of 256 (Haswell, Zen 2)
        "avx": (8.0, 16.0),
        "sse2": (4.0, 8.0),
        "sve": (16.0, 64.0),  # Neoverse V1 and V2; A64FX has two units of 512 bits
        "asimd": (8.0, 32.0),  # one unit of 128 bits (Cortex-A53) to four (Neoverse V1, Apple)
    }
)
HALF_FACTOR: Mapping[str, float] = MappingProxyType(
    {"avx512_bf16": 2.0, "avx512_fp16": 2.0, "asimdhp": 2.0, "bf16": 4.0}  # over FP32; bf16 of Arm has matrix products
)
AMX_PER_CYCLE = 1024.0
HOST_SOURCE = "instruction sets, cores and clock as the kernel tells them; Fog, Instruction tables, https://agner.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device: rated power in watts, peak rates in operations a second (0: no way of its own), and their ranges."""

    name: str
    kind: Literal["accelerator", "processor"]
    power_w: float
    fp32: float
    half: float  # FP16 or BF16
    words: str
    source: str
    tf32: float = 0.0
    rate_range: Range = EXACT
    power_range: Range = EXACT

    @property
    def used_share(self) -> float:
        """Of the rated power that the whole machine draws in a training, for each device."""
        return GPU_RATING_SHARE if self.kind == "accelerator" else 1.0

    def peak(self, precision: Precision) -> float:
        """Operations a second at this precision; where the device has no faster way, at FP32."""
        return {"fp32": self.fp32, "tf32": self.tf32, "fp16": self.half, "bf16": self.half}[precision] or self.fp32

    def most(self, precision: Precision | None) -> float:
        """The rate that is surely not exceeded: at this precision, or at the fastest one where it is not known."""
        peak = self.peak(precision) if precision else max(self.fp32, self.tf32, self.half)
        return peak * self.rate_range.upper

    @property
    def least_w(self) -> float:
        return self.power_w * self.power_range.lower


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """Operations a second of one socket, FP32 and 16-bit, how they follow, and the source."""

    fp32: float
    half: float
    words: str
    source: str


@cache
def _rates() -> Mapping[str, _Rate]:
    content = table("cpu_rates")
    found: dict[str, _Rate] = {}
    for name, clusters, maker in content["rows"]:
        cores = [(content["cores"][kind], count, clock) for kind, count, clock in clusters]
        found[name] = _Rate(
            fp32=sum(kind[0] * count * clock * GIGA for kind, count, clock in cores),
            half=sum(kind[1] * count * clock * GIGA for kind, count, clock in cores),
            words=", ".join(f"{count} cores at up to {clock:g} GHz, {kind[2]}" for kind, count, clock in cores),
            source="; ".join(
                content["sources"][key] for key in dict.fromkeys((maker, *(kind[3] for kind, _, _ in cores)))
            ),
        )
    return MappingProxyType(found)


def _board(part: Accelerator) -> Device | None:
    if not part.fp32:
        return None
    words = f"{part.name}, {part.board_w:g} W"
    return Device(name=part.name, kind="accelerator", power_w=part.board_w, fp32=part.fp32, tf32=part.tf32,
                  half=part.half, words=words, source=part.source)  # fmt: skip


def _processor(part: Cpu) -> Device | None:
    rate = _rates().get(part.name)
    if rate is None:
        return None
    source = "; ".join(dict.fromkeys((part.source, rate.source)))
    return Device(name=part.name, kind="processor", power_w=part.tdp_w, fp32=rate.fp32, half=rate.half,
                  words=f"{part.name}: {rate.words}; {part.tdp_w:g} W", source=source)  # fmt: skip


def device(name: str) -> Device | None:
    """The accelerator or processor of exactly this name, or None: unknown, or without a stated rate."""
    board, part = accelerator(name), cpu(name)
    if board is not None:
        return _board(board)
    return _processor(part) if part is not None else None


def _between(lower: float, upper: float) -> tuple[float, Range]:
    """The geometric middle of two bounds, and the range around it."""
    middle = sqrt(lower * upper)
    return middle, Range(lower=lower / middle, upper=upper / middle)


def _cores(host: Host) -> tuple[float, float]:
    """A guest's vCPU may be a core or one of its two threads."""
    if host.cores and host.virtualised is False:
        return float(host.cores), float(host.cores)
    return max(1.0, host.vcpus / 2), float(host.vcpus)


def _half(host: Host, fp32: float, per_cycle: float) -> float:
    if "amx_bf16" in host.simd:
        return fp32 * AMX_PER_CYCLE / per_cycle
    return fp32 * max((HALF_FACTOR[flag] for flag in host.simd if flag in HALF_FACTOR), default=1.0)


def device_of(host: Host) -> Device | None:
    """This host's processor: by its exact name, else bounded by what the kernel tells; None if it tells too little.

    Where the part is not known its power is 2 to 9 W a logical processor, as for utilisation.
    """
    known = device(host.cpu)
    best = next((flag for flag in PER_CYCLE if flag in host.simd), None)
    if known is not None or best is None:
        return known
    clock = (host.max_mhz / 1e3, host.max_mhz / 1e3) if host.max_mhz else CLOCK_GHZ
    cores, cycle = _cores(host), PER_CYCLE[best]
    fp32, around = _between(cores[0] * clock[0] * cycle[0] * GIGA, cores[1] * clock[1] * cycle[1] * GIGA)
    power_w, spread = _between(*(host.vcpus * watts for watts in UNKNOWN_BUSY_BOUNDS_W))
    words = (
        f'CPU "{host.cpu or "without a name"}" is in no table: {cores[0]:g} to {cores[1]:g} cores with {best}, '
        f"{clock[0]:g} to {clock[1]:g} GHz, {cycle[0]:g} to {cycle[1]:g} operations a cycle"
    )
    half = _half(host, fp32, sqrt(cycle[0] * cycle[1]))
    return Device(name=host.cpu, kind="processor", power_w=power_w, fp32=fp32, half=half, words=words,
                  source=HOST_SOURCE, rate_range=around, power_range=spread)  # fmt: skip
