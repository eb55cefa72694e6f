"""The record of one training run: what the tracker measured, as it is written and as it is read back."""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeVar

from audit.energy import journal
from audit.energy.host import Host
from audit.errors import DataError

FORMAT, VERSION = "assay-training-record", 1
ModelMatch = Literal["same", "other", "unknown"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The totals at one moment of the run. Joules are 0 where nothing counts them."""

    wall_s: float  # monotonic, without the time the machine slept
    clock_s: float  # by the wall clock, since the start
    suspended_s: float  # time the machine slept
    cpu_s: float  # process and all its children
    rapl_j: float = 0.0
    gpu_j: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One CPU energy counter: a package or its memory."""

    name: str
    joules: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU. ``None``: this device does not tell."""

    name: str
    covered_s: float  # from the first to the last reading
    samples: int
    counter_j: float | None
    polled_j: float | None
    utilisation: float | None  # mean, 0 to 1
    limit_w: float  # enforced power limit, 0 if unknown
    source: str = "nvml"  # who told: "nvml", or the kernel's driver "amdgpu", "i915", "xe"
    share: float = 1.0  # of the board that the program was given; the energies are of the whole board


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """Evidence of one training run. Times in seconds, energies in joules.

    ``region`` and ``model_match`` are not part of the file: the audit adds them when it reads the record.
    """

    status: str  # "finished", "running" (or killed), "failed: <exception or exit>"
    started: str  # UTC, ISO 8601
    wall_s: float
    suspended_s: float
    cpu_s: float
    machine_busy_s: float
    steal_s: float
    threads: int
    host: Host
    counters: tuple[Counter, ...] = ()
    counters_status: str = "absent"  # "read", "absent", or why they could not be read
    gpus: tuple[Gpu, ...] = ()
    gpus_status: str = "absent"
    samples: int | None = None
    steps: int | None = None
    model_sha256: str = ""
    meter_kwh: float | None = None  # read off a wall meter by the user
    meter_error: float = 0.03  # class of that meter, as a share
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()
    tool: str = ""
    region: str | None = None
    model_match: ModelMatch = field(default="unknown")

    @property
    def finished(self) -> bool:
        return self.status == "finished"


_JSON_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "None": (type(None),)}
)
_ADDED_BY_THE_AUDIT = ("region", "model_match")


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _content(record: TrainingRecord) -> dict[str, Any]:
    """What its file holds, without format, version and hash."""
    content = {name: value for name, value in asdict(record).items() if name not in _ADDED_BY_THE_AUDIT}
    plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    return plain


def to_text(record: TrainingRecord) -> str:
    """The record as JSON, with its format, version and content hash."""
    content = {"format": FORMAT, "version": VERSION, **_content(record)}
    return json.dumps({**content, "sha256": _digest(content)}, indent=1, allow_nan=False) + "\n"


def stated_sha256(text: str) -> str:
    """The content hash at the end of :func:`to_text`, on which the lines of a journal build."""
    return text.rpartition('"sha256": "')[2].partition('"')[0]


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _finite(word: str) -> float:
    number = float(word)
    return number if math.isfinite(number) else _no_constant(word)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _parsed(text: str, name: str) -> tuple[dict[str, Any], str]:
    """The document, and what follows it: the lines of a run that went on."""
    try:
        content, end = _DECODER.raw_decode(text.lstrip())
    except ValueError as error:
        raise DataError(f"{name} is truncated or not JSON ({error}): record the training again") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f'{name} is not a training record (no "format": "{FORMAT}"): write it with audit.track')
    if content.get("version") != VERSION:
        raise DataError(f"{name} has version {content.get('version')}, this Assay reads version {VERSION}: update it")
    return content, text.lstrip()[end:]


def _make(kind: type[T], content: Any, name: str) -> T:
    """A dataclass from a JSON object; a missing or unknown key or a wrong type is an error."""
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]  # kind is a dataclass
    if not isinstance(content, dict) or not set(content) <= set(known):
        unknown = sorted(set(content) - set(known)) if isinstance(content, dict) else type(content).__name__
        raise DataError(f"{name}: {kind.__name__} holds {unknown}, which no record has: record the training again")
    try:
        return kind(**{key: _typed(str(known[key].type), value, f"{name}: {key}") for key, value in content.items()})
    except TypeError as error:
        raise DataError(f"{name} is truncated: {error}") from None


def _typed(kind: str, value: Any, name: str) -> Any:
    """The value, if it is what the annotation says: numbers, text, their optional forms, a tuple of texts."""
    if kind == "tuple[str, ...]" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    allowed: tuple[type, ...] = ()
    for word, types in _JSON_TYPES.items():
        allowed += types if word in kind.replace("|", " ").split() else ()
    if isinstance(value, tuple | Host):  # made by _make, part by part
        return value
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise DataError(f"{name} must be {kind}, got {value!r}: record the training again")
    return value


def from_text(text: str, name: str) -> TrainingRecord:
    """Read a record and refuse one that is truncated, changed or impossible. ``name`` is used in messages.

    Raises DataError.
    """
    content, rest = _parsed(text, name)
    if content.get("sha256") != _digest({key: value for key, value in content.items() if key != "sha256"}):
        raise DataError(f"{name} was changed after it was written (its content hash does not match): record it again")
    content = journal.applied(content, rest, name, _DECODER.decode)
    for key in ("format", "version", "sha256"):
        del content[key]
    content["host"] = _make(Host, content.get("host"), name)
    for key, kind in {"counters": Counter, "gpus": Gpu, "readings": Reading}.items():
        items = content.get(key)
        if not isinstance(items, list):
            raise DataError(f"{name}: {key} must be a list, got {type(items).__name__}: record the training again")
        content[key] = tuple(_make(kind, item, name) for item in items)
    return _make(TrainingRecord, content, name)


def write_atomically(path: Path, text: str, *, durable: bool) -> None:
    """Write beside the file and rename: a reader sees the old file or the new one, never a half.

    ``durable`` waits until it is on the disk. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
