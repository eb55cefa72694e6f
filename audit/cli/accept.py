"""Accept a run as the baseline that later runs are held against: a folder to commit, so that it is reviewed."""

from __future__ import annotations

import argparse
from pathlib import Path

from audit import store
from audit.cli._comparing import same_words, sameness, verdicts
from audit.errors import StoreError, UsageError
from audit.policy import Finding
from audit.record import AuditRun

DEFAULT = Path("baseline")
EPILOG = """Nothing accepts a baseline by itself. Name the folder in audit.toml, and audit run and audit judge use it:

  [gate]
  baseline = "baseline"

exit codes:
  0    the run is the baseline now
  2    it is not: the run was edited, or fails and --failing was not given"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or a folder of runs (the newest)")
    parser.add_argument("--as", dest="target", type=Path, default=DEFAULT, metavar="DIR", help="default: baseline")
    parser.add_argument("--failing", action="store_true", help="accept a run whose limits fail or were not judged")


def run(arguments: argparse.Namespace) -> int:
    folder, target = store.find_run(arguments.run), arguments.target
    faults = store.verify_integrity(folder)
    if faults:
        raise StoreError(f"{folder} is not as it was written: {'; '.join(faults)}")
    accepted = store.read(folder)
    if accepted.exit_code in (1, 2) and not arguments.failing:
        raise UsageError(
            f"{folder} ended with exit {accepted.exit_code} ({accepted.exit_reason}): mend it, or accept it as it is "
            "with --failing"
        )
    before = _before(target, accepted)
    store.adopt(folder, target)
    print("\n".join(_told(accepted, before, target)))
    return 0


def _before(target: Path, accepted: AuditRun) -> AuditRun | None:
    """The baseline that is replaced. UsageError where the folder is something else: it is never overwritten."""
    if not target.exists():
        return None
    if not (target / "result.json").is_file():
        raise UsageError(f"{target} is no baseline, so it is not replaced: name another folder with --as")
    before = store.read(target)
    if before.name != accepted.name:
        raise UsageError(f'{target} is the baseline of "{before.name}", the run is of "{accepted.name}": name another')
    return before


def _told(accepted: AuditRun, before: AuditRun | None, target: Path) -> list[str]:
    lines = [f"{target} is now the run {accepted.id[:12]} of {accepted.machine.created}: {accepted.exit_reason}"]
    if before is not None:
        turned = verdicts(before, accepted)
        lines.append(f"it was {before.id[:12]} of {before.machine.created}: {same_words(sameness(before, accepted))}")
        lines += [f"  {name}: {_word(old)} → {_word(new)}" for name, old, new in turned]
        lines += [] if turned else ["  no verdict changed"]
    return [*lines, "", f'commit {target}, and name it in audit.toml: [gate] baseline = "{target.as_posix()}"']


def _word(finding: Finding | None) -> str:
    return "no such limit" if finding is None else str(finding.verdict).lower().replace("_", " ")
