"""Where and when an audit ran: all that may differ between two runs over the same inputs."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from audit.energy.host import fingerprint
from audit.record import Machine

PACKAGES = (
    "altair",
    "captum",
    "fairlearn",
    "numpy",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skops",
    "torch",
)


def describe(started: datetime, seconds: float, timings: Mapping[str, float], command: str, root: Path) -> Machine:
    return Machine(
        created=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        timings={name: round(spent, 4) for name, spent in timings.items()},
        tool=f"assay {version('assay')}",
        python=platform.python_version(),
        platform=platform.platform(),
        packages={name: found for name in PACKAGES if _is_loaded(name) and (found := version(name))},
        commit=_commit(root),
        command=command,
        cpu=fingerprint().cpu,
    )


def apart(system: str, cpu: str, other: Machine) -> str:
    """How this machine differs from that of another run, as far as a time is concerned; "" where it does not.

    ``system`` is as ``platform.platform`` prints it, and decides where one of the processors is not known.
    """
    if cpu and other.cpu:
        same = (cpu, system.partition("-")[0]) == (other.cpu, other.platform.partition("-")[0])
        return "" if same else f"{other.cpu}, {other.platform}; this run on {cpu}, {system}"
    return "" if system == other.platform else f"{other.platform}; this run on {system}"


def apart_from(other: Machine) -> str:
    """As :func:`apart`, of the machine that this process runs on."""
    return apart(platform.platform(), fingerprint().cpu, other)


def version(package: str) -> str:
    """The installed version, or an empty string."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _is_loaded(package: str) -> bool:
    """Only what took part in the audit is worth naming."""
    return {"scikit-learn": "sklearn"}.get(package, package) in sys.modules


def _commit(root: Path) -> str:
    """The commit that the audited folder is at, with + when it was changed since; empty outside a repository."""
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=5, check=True)
    return done.stdout.strip()
