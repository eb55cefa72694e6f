"""Whether a run still says what was measured: its own content, the files it names, and a second measurement."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import store, writers
from audit.cli._comparing import keyed
from audit.data.reading import digest, file_digest
from audit.errors import DataError, SpecError
from audit.machine import version
from audit.record import AuditRun
from audit.spec import read_text
from audit.store.formats.v1 import OF_THIS_MACHINE

ABSOLUTE, RELATIVE = 1e-6, 1e-5  # float arithmetic may differ by this between machines, a measurement may not
IN_MEMORY = "(in memory)"
SPEC = "audit.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was verified. ``same`` is None where it could not be, which is said and not held against it."""

    what: str
    same: bool | None
    detail: str


def root_of(run: AuditRun, folder: Path, spec: Path | None) -> Path:
    """The folder that the run's paths start from: where its audit.toml lies."""
    if spec is not None:
        return spec.resolve().parent
    places = [Path.cwd(), *folder.resolve().parents[:4]]
    by_spec = (place for place in places if _spec_sha256(place / SPEC) == run.spec_sha256)
    by_data = (place for place in places if all((place / data.path).exists() for data in run.data))
    return next(by_spec, next(by_data, Path.cwd()))


def stored_faults(run: AuditRun, folder: Path) -> Iterator[Line]:
    """The run folder itself, and the statement that may have been signed."""
    faults = store.verify_integrity(folder)
    yield Line(what="result.json", same=not faults, detail="; ".join(faults) or "hashes to its id")
    path = folder / "statement.json"
    if not path.exists():
        yield Line(what="statement.json", same=False, detail="is gone")
        return
    with tempfile.TemporaryDirectory() as work:
        writers.writer("statement")(run, Path(work) / path.name)
        expected = _json(Path(work) / path.name)
    found = _json(path)
    wrong = [part for part in ("subject", "predicate") if found.get(part) != expected[part]]
    detail = f"{' and '.join(wrong)} not as the run says" if wrong else "names this run, its model and data"
    yield Line(what="statement.json", same=not wrong, detail=detail)


def written_faults(run: AuditRun, folder: Path) -> Iterator[Line]:
    """What people read of a run, written again from its result."""
    same_version = run.machine.tool == f"assay {version('assay')}"
    with tempfile.TemporaryDirectory() as work:
        for name, write in writers.of_a_run().items():
            path = folder / name
            if name == "statement.json" or not path.exists():  # that one is verified part by part
                continue
            write(run, Path(work) / name)
            if path.read_bytes() == (Path(work) / name).read_bytes():
                yield Line(what=name, same=True, detail="says what the result says")
            elif same_version:
                yield Line(what=name, same=False, detail="is not what the result gives: write it again, audit report")
            else:
                yield Line(what=name, same=None, detail=f"was written by {run.machine.tool}, this version differs")


def file_faults(run: AuditRun, root: Path, spec: Path | None) -> Iterator[Line]:
    """The files that were audited, as they are now."""
    if run.model.path == IN_MEMORY:
        yield Line(what="model", same=None, detail="was held in memory and cannot be verified")
    elif run.model.path:
        yield _held_against(f"model {run.model.path}", _sha256(root / run.model.path), run.model.sha256)
    for data in run.data:
        if data.path == IN_MEMORY:
            yield Line(what=f"{data.name} data", same=None, detail="were held in memory and cannot be verified")
        else:
            yield _held_against(f"{data.name} data {data.path}", _data_sha256(root / data.path), data.sha256)
    written = spec or root / SPEC
    if written.exists():
        yield _held_against(str(written), _spec_sha256(written), run.spec_sha256)


def _held_against(what: str, now: str, then: str) -> Line:
    if not now:
        return Line(what=what, same=False, detail="does not exist any more: name the audit.toml with --spec")
    return Line(what=what, same=now == then, detail="as it was audited" if now == then else "is another file now")


def measured_again(before: AuditRun, after: AuditRun) -> Iterator[Line]:
    """Every stored number within 1e-6 + 1e-5 |x| of the new one, every verdict the same."""
    timed = _timed(before)
    new = dict(keyed(after))
    old = [(key, m) for key, m in keyed(before) if m.name not in timed]
    gone = [key for key, _ in old if key not in new]
    moved = [
        (key, m.value, new[key].value)
        for key, m in old
        if key in new and abs(new[key].value - m.value) > ABSOLUTE + RELATIVE * abs(m.value)
    ]
    words = [f"{_named(key)} was {a:.9g} and is {b:.9g}" for key, a, b in moved]
    words += [f"{_named(key)} is not measured any more" for key in gone]
    detail = _few(words) or f"{len(old):,} measurements came out the same"
    yield Line(what="measurements", same=not words, detail=detail)
    verdicts = {f.id: f.verdict for f in after.findings}
    turned = [
        f"{f.id} was {f.verdict} and is {verdicts.get(f.id, 'no limit')}"
        for f in before.findings
        if verdicts.get(f.id) != f.verdict and f.limit.measure not in timed
    ]
    yield Line(
        what="verdicts", same=not turned, detail=_few(turned) or f"{len(before.findings)} verdicts came out the same"
    )


def _timed(run: AuditRun) -> set[str]:
    """Measures that differ from run to run, so that a second measurement proves nothing."""
    checks = {record.check for record in run.records if record.cost in OF_THIS_MACHINE}
    return {name for name, note in run.measures.items() if note.check in checks}


def _named(key: tuple[Any, ...]) -> str:
    groups = "".join(f" {column} = {value}" for column, value in key[3])
    return f"{key[1].removesuffix('/each')}{groups}"


def _few(words: list[str]) -> str:
    return "; ".join(words[:3]) + (f"; and {len(words) - 3} more" if len(words) > 3 else "")


def _sha256(path: Path) -> str:
    """Of a file; empty where there is none."""
    return file_digest(path) if path.is_file() else ""


def _spec_sha256(path: Path) -> str:
    """Of the text, as the run kept it: line ends of another system are no change."""
    return hashlib.sha256(read_text(path).encode()).hexdigest() if path.is_file() else ""


def _data_sha256(path: Path) -> str:
    try:
        return digest(path)
    except DataError:  # gone, or no table any more: the caller says so
        return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def spec_to_measure(run: AuditRun, root: Path, spec: Path | None) -> Path:
    """The audit.toml to measure again by. SpecError where none is to be found."""
    path = spec or root / SPEC
    if not path.exists():
        raise SpecError(f'no audit.toml of "{run.name}" was found: name it with --spec')
    return path
