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
    """The run to compare with. SpecError when it is of another model name: that comparison would mean nothing."""
    if path is None:
        return None
    from audit import store

    run = store.read(store.find_run(path))
    if run.name != loaded.spec.name:
        raise SpecError(f'--baseline {path} is a run of "{run.name}", this is "{loaded.spec.name}"')
    return run
