"""From the path of an audit.toml to a run folder: what `audit run` and `audit demo` share."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from audit import store, writers
from audit.case import open_case
from audit.cli._given import baseline_of, registry_of
from audit.engine import Progress, Settings, run_audit
from audit.errors import StoreError
from audit.policy.packs import read_pack
from audit.record import AuditRun
from audit.spec import Loaded, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    out: Path
    policy: Path | None = None
    baseline: Path | None = None
    inconclusive: str | None = None
    allow_code: bool = False
    costs: tuple[str, ...] = ()  # of checks that do not run by default
    command: str = ""


def audit_file(spec: Path, options: Options, progress: Progress) -> tuple[Path, AuditRun]:
    """(run folder, the run). AuditError when the audit cannot be made."""
    _refuse_unwritable(options.out)
    return store.write(measured(spec, options, progress), options.out, writers.of_a_run())


def measured(spec: Path, options: Options, progress: Progress) -> AuditRun:
    """The audit, made and not written. AuditError when it cannot be made."""
    loaded = overridden(load(spec), options.inconclusive)
    settings = Settings(
        costs=(*Settings().costs, *options.costs),
        policy=read_pack(options.policy, str(options.policy.name)) if options.policy else None,
        baseline=baseline_of(options.baseline, loaded),
        command=options.command,
        progress=progress,
    )
    registry = registry_of(loaded, allow_code=options.allow_code)
    case = open_case(loaded, allow_code=options.allow_code)
    return run_audit(case, loaded, registry, settings)


def overridden(loaded: Loaded, inconclusive: str | None) -> Loaded:
    """The spec with what the command line says instead; the run keeps both."""
    if inconclusive is None:
        return loaded
    gate = loaded.spec.gate.model_copy(update={"inconclusive": inconclusive})
    raw = {**loaded.raw, "gate": {**loaded.raw.get("gate", {}), "inconclusive": inconclusive}}
    return replace(loaded, spec=loaded.spec.model_copy(update={"gate": gate}), raw=raw)


def _refuse_unwritable(out: Path) -> None:
    """Said before minutes of measuring, not after."""
    existing = next((p for p in (out, *out.absolute().parents) if p.exists()), Path("/"))
    if not existing.is_dir():
        raise StoreError(f"--out {out}: {existing} is a file, not a folder")
    if not os.access(existing, os.W_OK):
        raise StoreError(f"--out {out}: {existing} cannot be written to: name another folder")
