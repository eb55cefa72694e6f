"""What a command is given beside audit.toml: checks of the user's own, a run to compare with."""

from __future__ import annotations

from pathlib import Path

from audit.errors import SpecError, UnsafeModelError
from audit.record import AuditRun
from audit.registry import Registry, find
from audit.spec import Loaded, relative


def registry_of(loaded: Loaded, *, allow_code: bool) -> Registry:
    """The checks that may run here. The user's own run only with --allow-code, which must be said."""
    if loaded.spec.checks and not allow_code:
        raise UnsafeModelError(
            f"audit.toml names checks of its own ({', '.join(loaded.spec.checks)}): "
            "run with --allow-code to let them run, or take the line out"
        )
    return find(relative(loaded.root, folder) for folder in loaded.spec.checks)


def baseline_of(path: Path | None, loaded: Loaded) -> AuditRun | None:
    """The run to compare with: --baseline, else the one that [gate] names.

    SpecError when it is of another model name, because that comparison would mean nothing, or when it is not there.
    """
    named, words = path, f"--baseline {path}"
    if named is None and loaded.spec.gate.baseline is not None:
        named, words = relative(loaded.root, loaded.spec.gate.baseline), f"[gate] baseline {loaded.spec.gate.baseline}"
    if named is None:
        return None
    from audit import store

    if path is None and not named.exists():
        raise SpecError(f"{words} does not exist: make it with audit accept, or take the line out")
    run = store.read(store.find_run(named))
    if run.name != loaded.spec.name:
        raise SpecError(f'{words} is a run of "{run.name}", this is "{loaded.spec.name}"')
    return run
