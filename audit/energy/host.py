"""What the kernel says about this machine and about the CPU time of a process and all its children."""

from __future__ import annotations

import os
import platform
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource

PROC = Path("/proc")
UNKNOWN_GPU = "unknown NVIDIA device"
WSL_NVML = "usr/lib/wsl/lib/libnvidia-ml.so.1"  # there the driver of Windows lists no device under /proc
SIMD_FLAGS = (  # as the kernels of x86 and Arm name them
    "sse2",
    "avx",
    "fma",
    "avx512f",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "asimd",
    "asimdhp",
    "sve",
    "bf16",
)
CPUINFO_HEAD = 4096  # the first processor's block holds all that is asked; the rest is one copy for each processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Fingerprint of the machine: what decides its power, and nothing that names its owner."""

    cpu: str  # as the operating system prints it, "" if it does not
    vcpus: int  # logical processors of the machine
    usable_vcpus: int  # those that this process may run on
    sockets: int  # 1 where the kernel does not say
    virtualised: bool | None  # None: not known
    battery: bool
    memory_gb: float  # 0 if unknown
    system: str
    unmeasured_gpus: tuple[str, ...] = ()  # that the kernel lists and nothing measured
    cores: int = 0  # of all sockets; 0 if the kernel does not say
    max_mhz: float = 0.0  # highest clock of the first processor; 0 if the kernel does not say
    simd: tuple[str, ...] = ()  # instruction sets that decide the rate of floating-point operations


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTime:
    """CPU seconds of the whole machine since it started, over all processors."""

    busy_s: float
    steal_s: float  # taken by other guests of the same host


def _text(path: Path | str, size: int = 65536) -> str:
    """What a file of the kernel holds, at most ``size`` bytes; "" where it cannot be read.

    By descriptor: a reading each second must cost microseconds.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(descriptor, size).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _fields(text: str) -> dict[str, str]:
    """``name : value`` lines; the first of each name."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), " ".join(value.split()))
    return fields


def _sockets(proc: Path) -> int:
    nodes = proc.parent / "sys/devices/system/cpu"
    packages = {_text(path).strip() for path in nodes.glob("cpu[0-9]*/topology/physical_package_id")}
    return max(1, len(packages - {""}))


def _has_battery(proc: Path) -> bool:
    supplies = (proc.parent / "sys/class/power_supply").glob("*/type")
    return any(_text(path).strip() == "Battery" for path in supplies)


def _max_mhz(proc: Path) -> float:
    khz = _text(proc.parent / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").strip()
    return int(khz) / 1e3 if khz.isdigit() else 0.0


def _gigabytes(meminfo: str) -> float:
    total = _fields(meminfo).get("MemTotal", "0").split()[0]
    return round(int(total) / 2**20, 1)


def is_wsl(proc: Path = PROC) -> bool:
    """Whether this is Linux inside Windows, which shows no energy counter of the processor."""
    return "microsoft" in _text(f"{proc}/sys/kernel/osrelease").lower()


def nvidia_devices(proc: Path = PROC) -> tuple[str, ...]:
    """Names of the NVIDIA devices that the kernel driver lists, measured or not."""
    files = sorted((proc / "driver/nvidia/gpus").glob("*/information"))
    names = tuple(_fields(_text(path)).get("Model", UNKNOWN_GPU) for path in files)
    there = (proc.parent / "dev/nvidiactl").exists() or (is_wsl(proc) and (proc.parent / WSL_NVML).exists())
    return names or ((UNKNOWN_GPU,) if there else ())


def fingerprint(proc: Path = PROC) -> Host:
    """The machine as the kernel describes it; what it does not say is empty, 0 or None, never guessed."""
    cpuinfo = _fields(_text(proc / "cpuinfo", CPUINFO_HEAD))
    flags, features = cpuinfo.get("flags", "").split(), cpuinfo.get("Features", "").split()  # x86; Arm
    cores, sockets = cpuinfo.get("cpu cores", ""), _sockets(proc)
    vcpus = os.cpu_count() or 1
    return Host(
        cpu=cpuinfo.get("model name", "" if proc.is_dir() else platform.processor()),
        vcpus=vcpus,
        usable_vcpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else vcpus,
        sockets=sockets,
        virtualised="hypervisor" in flags if flags else None,
        battery=_has_battery(proc),
        memory_gb=_gigabytes(_text(proc / "meminfo")),
        system=f"{platform.system()} {platform.machine()}",
        unmeasured_gpus=nvidia_devices(proc),
        cores=int(cores) * sockets if cores.isdigit() else 0,
        max_mhz=_max_mhz(proc),
        simd=tuple(flag for flag in SIMD_FLAGS if flag in {*flags, *features}),
    )


def _tick() -> int:
    return os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def machine_time(proc: Path = PROC) -> MachineTime:
    """Busy and stolen seconds from the first line of ``/proc/stat``; zeros where there is none."""
    words = _text(f"{proc}/stat", 512).split("\n", 1)[0].split()
    ticks = [int(word) for word in words[1:9]] if words[:1] == ["cpu"] and len(words) >= 9 else [0] * 8
    user, nice, system, _idle, _iowait, irq, softirq, steal = ticks  # user holds guest time already
    return MachineTime(busy_s=(user + nice + system + irq + softirq) / _tick(), steal_s=steal / _tick())


def own_threads(proc: Path = PROC) -> int:
    """Threads of this process, those of native libraries included."""
    return len(_listed(f"{proc}/self/task")) or threading.active_count()


def _children(proc: Path, pid: int) -> list[int]:
    tasks = f"{proc}/{pid}/task"
    return [int(child) for task in _listed(tasks) for child in _text(f"{tasks}/{task}/children").split()]


def _spent(proc: Path, pid: int) -> float:
    """Seconds of a live process and of those of its children that it has waited for."""
    words = _text(f"{proc}/{pid}/stat").rpartition(")")[2].split()
    return sum(int(word) for word in words[11:15]) / _tick() if len(words) > 15 else 0.0


def _live_descendants(proc: Path, pid: int) -> set[int]:
    found: set[int] = set()
    waiting = _children(proc, pid)
    while waiting:
        child = waiting.pop()
        if child not in found:
            found.add(child)
            waiting += _children(proc, child)
    return found


def tree_cpu_seconds(proc: Path = PROC) -> float:
    """CPU seconds of this process, of the children it has waited for, and of its living descendants.

    ``getrusage`` alone leaves out children that still run, such as the workers of a data loader.
    """
    if sys.platform == "win32":
        times = os.times()
        return times.user + times.system
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    waited = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return waited + sum(_spent(proc, child) for child in _live_descendants(proc, os.getpid()))
