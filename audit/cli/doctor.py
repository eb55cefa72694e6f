"""Show what this installation can and cannot do, and how to mend what it cannot."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

CORE = ("numpy", "pyarrow", "pydantic", "scipy", "pandas", "scikit-learn", "skops", "safetensors", "torch", "captum")
REPORTS = ("jinja2", "altair", "vl-convert-python", "streamlit")
EXTRAS = {"onnxruntime": "onnx", "nvidia-ml-py": "gpu"}
EPILOG = "exit codes:\n  0    audits can be made here\n  2    something that every audit needs is missing"
MODULES = {"scikit-learn": "sklearn", "vl-convert-python": "vl_convert", "nvidia-ml-py": "pynvml"}

TRY_TORCH = """
import torch
torch.ones(2).sum().item()
cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
device = "cuda: " + torch.cuda.get_device_name(0) if cuda else "mps" if mps else "cpu"
print(torch.__version__, "on", device)
"""
TRY_ONNX = "import onnxruntime as o; print(o.__version__, ', '.join(o.get_available_providers()))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that was looked at. ``state`` is "ok", "absent" (only a part cannot be done) or "broken"."""

    name: str
    state: str
    detail: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deep", action="store_true", help="import torch and onnxruntime and run each once")
    parser.add_argument("--out", type=Path, default=Path("audits"), metavar="DIR", help="where run folders would go")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(arguments: argparse.Namespace) -> int:
    found = [
        Examination(name="assay", state="ok", detail=f"{_version('assay')}, Python {platform.python_version()}"),
        Examination(name="platform", state="ok", detail=f"{platform.platform()}, {os.cpu_count()} processors"),
        *(_package(name, "") for name in (*CORE, *REPORTS)),
        *(_package(name, extra) for name, extra in EXTRAS.items()),
        _writable(arguments.out),
        _rapl(),
        _nvml(),
        *([_attempt("torch", TRY_TORCH), _attempt("onnxruntime", TRY_ONNX)] if arguments.deep else []),
    ]
    print(json.dumps([asdict(item) for item in found], indent=1) if arguments.json else _screen(found, arguments.deep))
    return 2 if any(item.state == "broken" for item in found) else 0


def _screen(found: list[Examination], deep: bool) -> str:
    marks = {"ok": "✓", "absent": "–", "broken": "✗"}
    width = max(len(item.name) for item in found) + 2
    lines = [
        f"{marks[item.state]} {item.name:<{width}}{item.detail}" + (f" → {item.remedy}" if item.remedy else "")
        for item in found
    ]
    hint = [] if deep else ["", "torch and onnxruntime were not imported: audit doctor --deep does, and runs each once"]
    return "\n".join([*lines, *hint])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _package(name: str, extra: str) -> Examination:
    """Installed, and its module can be found; nothing is imported."""
    found = _version(name)
    if found and importlib.util.find_spec(MODULES.get(name, name.replace("-", "_"))) is not None:
        return Examination(name=name, state="ok", detail=found)
    if extra:
        detail, remedy = f"not installed (optional: {extra})", f'pip install "assay[{extra}]"'
        return Examination(name=name, state="absent", detail=detail, remedy=remedy)
    return Examination(name=name, state="broken", detail="not installed", remedy=f"pip install {name}")


def _writable(out: Path) -> Examination:
    """Tried, not asked: permissions do not tell of a full or read-only disk."""
    nearest = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=nearest) as stream:
            stream.write(b"assay")
            stream.flush()
    except OSError as error:
        detail = f"{nearest}: {error.strerror or error}"
        return Examination(name="writing runs", state="broken", detail=detail, remedy="name another folder with --out")
    return Examination(name="writing runs", state="ok", detail=str(out))


def _rapl() -> Examination:
    from audit.energy.host import is_wsl
    from audit.energy.rapl import POWERCAP

    counters = sorted(POWERCAP.glob("intel-rapl:*/energy_uj")) if POWERCAP.is_dir() else []
    if not counters:
        where = "WSL shows no counters of the processor" if is_wsl() else f"no counters at {POWERCAP}"
        detail = f"{where}: training energy is estimated from time and ratings"
        return Examination(name="energy of CPUs", state="absent", detail=detail)
    if not all(os.access(counter, os.R_OK) for counter in counters):
        remedy = f"sudo chmod a+r {POWERCAP}/*/energy_uj"
        return Examination(name="energy of CPUs", state="absent", detail="counters may not be read", remedy=remedy)
    return Examination(name="energy of CPUs", state="ok", detail=f"{len(counters)} counters can be read (RAPL)")


def _nvml() -> Examination:
    from audit.energy.drm import DRM, open_drm
    from audit.energy.nvml import open_nvml

    nvml, drm = open_nvml(now_s=time.monotonic()), open_drm(DRM, now_s=time.monotonic())
    try:
        names = ", ".join(f"{device.name} ({device.source})" for device in (*nvml.devices, *drm.devices))
    finally:
        nvml.close()
    if not names:
        detail = ", ".join(drm.unmeasured)
        return Examination(name="energy of GPUs", state="absent", detail=detail or nvml.status)
    return Examination(name="energy of GPUs", state="ok", detail=names)


def _attempt(name: str, code: str) -> Examination:
    """In a process of its own, so that a library that kills its process does not end this one."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Examination(name=f"{name} runs", state="ok", detail=done.stdout.strip())
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    state = "absent" if name in EXTRAS else "broken"
    remedy = f'pip install "assay[{EXTRAS[name]}]"' if name in EXTRAS else f"pip install --force-reinstall {name}"
    return Examination(name=f"{name} runs", state=state, detail=last, remedy=remedy)
