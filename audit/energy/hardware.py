"""Power ratings of known parts. A name matches exactly or the part is unknown: a near name is another part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from math import prod
from types import MappingProxyType
from typing import Any, Literal

Precision = Literal["fp32", "tf32", "fp16", "bf16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """A processor: thermal design power in watts of one socket, its cores and threads."""

    name: str
    tdp_w: float
    cores: int
    threads: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """An accelerator: maximum board power in watts, peak rates in operations a second (dense; 0: none stated)."""

    name: str
    board_w: float
    source: str
    fp32: float = 0.0
    tf32: float = 0.0
    half: float = 0.0  # FP16 or BF16


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpuWatts:
    """Watts that one vCPU of a shared server draws when idle and when busy."""

    idle_w: float
    busy_w: float
    source: str


# A busy vCPU of a server whose part is hidden lies between 2 W (500 W over 256 threads) and 9 W (the largest published
# coefficient of an instance). The geometric mean is the point; estimates put a range of 0.3 to 3.5 around it.
UNKNOWN_BUSY_BOUNDS_W = (2.0, 9.0)
UNKNOWN_BUSY_W = (UNKNOWN_BUSY_BOUNDS_W[0] * UNKNOWN_BUSY_BOUNDS_W[1]) ** 0.5


def table(name: str) -> dict[str, Any]:
    """One of the package's data tables, as it is written."""
    content: dict[str, Any] = json.loads((files("audit.energy") / "data" / f"{name}.json").read_text(encoding="utf-8"))
    return content


def _plain(name: str) -> str:
    """White space is no part of a name: the kernel pads some."""
    return " ".join(name.split())


@cache
def cpus() -> Mapping[str, Cpu]:
    """Known processors by the name that the operating system prints."""
    content = table("cpus")
    rows = {
        name: Cpu(name=name, tdp_w=tdp, cores=cores, threads=threads, source=content["sources"][source])
        for name, tdp, cores, threads, source in content["rows"]
    }
    return MappingProxyType(rows)


@cache
def accelerators() -> Mapping[str, Accelerator]:
    """Known accelerators by the name that the driver prints."""
    content = table("accelerators")
    rows = {
        name: Accelerator(
            name=name,
            board_w=watts,
            source=content["sources"][source],
            **{key: (rate or 0.0) * 1e12 for key, rate in zip(("fp32", "tf32", "half"), rates, strict=True)},
        )
        for name, watts, source, *rates in content["rows"]
    }
    return MappingProxyType(rows)


def near(name: str, known: Iterable[str], most: int = 3) -> str:
    """``' (did you mean "x" or "y"?)'``: names that hold this one, else those that are spelled alike; "" if none."""
    names = list(known)
    found = [other for other in names if name and name.casefold() in other.casefold()][:most]
    found = found or get_close_matches(name, names, n=most, cutoff=0.6)
    quoted = " or ".join(f'"{other}"' for other in found)
    return f" (did you mean {quoted}?)" if quoted else ""


def unknown_hardware(name: str) -> str:
    """What to say of a name that is in no table, with the names near it; "" for one that is known."""
    if accelerator(name) is not None or cpu(name) is not None:
        return ""
    hint = near(name, [*accelerators(), *cpus()])
    return (
        f'[training] hardware "{name}" is in no table{hint}: no energy follows from it; give the name exactly as the '
        "driver or the operating system prints it, or a record"
    )


def cpu(name: str) -> Cpu | None:
    """The processor of exactly this name, or None: unknown."""
    return cpus().get(_plain(name))


def accelerator(name: str) -> Accelerator | None:
    """The accelerator of exactly this name, or None: unknown."""
    return accelerators().get(_plain(name))


def unknown_vcpu() -> VcpuWatts:
    """Watts of one vCPU where the part is not known: the middle of known server generations."""
    content = table("vcpu_watts")
    idle = [row[1] for row in content["rows"]]
    return VcpuWatts(idle_w=prod(idle) ** (1 / len(idle)), busy_w=UNKNOWN_BUSY_W, source=content["source"])
