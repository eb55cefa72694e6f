"""Reading audit.toml: one clear message for whatever is wrong with it, naming the key and the fix."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from audit.errors import SpecError, nearest
from audit.spec.model import AuditSpec, DataSpec

M = TypeVar("M", bound=BaseModel)
_SCALARS = ("str", "int", "float", "bool")
_WORDS = {
    "Input should be": "must be",
    "String should have": "must have",
    "Tuple should have": "must have",
    "valid tuple": "list",
    "valid dictionary or instance of": "table such as",
    "valid dictionary": "table",
    "a valid string": "text in quotes",
}
_OTHER_NAMES = {
    "sensitive": "groups",
    "sensitive_features": "groups",
    "sensitive_attributes": "groups",
    "protected": "groups",
    "protected_attributes": "groups",
    "label": "target",
    "y": "target",
    "file": "path",
    "data": "path",
    "cutoff": "threshold",
    "reason": "why",
}
_PLAIN = re.compile("|".join(map(re.escape, _WORDS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A spec, where it came from and how it was written."""

    spec: AuditSpec
    root: Path  # paths in the spec are relative to it
    raw: dict[str, Any]
    sha256: str
    path: Path | None = None
    limit_lines: tuple[int, ...] = ()


def load(path: Path) -> Loaded:
    """Read ``path``. SpecError when it is missing, not TOML, or does not say what it must."""
    text = read_text(path)
    raw = parse_toml(text, path)
    return Loaded(
        spec=validate(AuditSpec, raw, str(path)),
        root=path.resolve().parent,
        raw=raw,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        path=path,
        limit_lines=limit_lines(text),
    )


def read_text(path: Path) -> str:
    if path.is_dir():
        raise SpecError(f"{path} is a folder: name the file, such as {path / 'audit.toml'}")
    if not path.exists():
        raise SpecError(f"{path} does not exist: write one with 'audit init', or name another file")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}") from error


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}") from error


def limit_lines(text: str) -> tuple[int, ...]:
    """Line of each [[limit]] header, in order: where a CI annotation points."""
    lines = enumerate(text.split("\n"), start=1)
    return tuple(i for i, line in lines if re.match(r"\s*\[\[\s*limit\s*\]\]", line))


def validate(model: type[M], raw: dict[str, Any], source: str) -> M:
    """``raw`` as a ``model``; SpecError lists every fault, each with its key and what is allowed."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = [_fault(model, item) for item in _merged(error.errors())]
        raise SpecError(f"{source}: " + "; ".join(dict.fromkeys(faults))) from error


def _fault(model: type[BaseModel], item: dict[str, Any]) -> str:
    loc = [part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    key = ".".join(f"[{part}]" if isinstance(part, int) else str(part) for part in loc).replace(".[", "[") or "the file"
    if item["type"] == "extra_forbidden":
        return f'unknown key "{key}"{_meant(str(loc[-1]), _keys_at(model, loc[:-1]))}'
    if item["type"] == "missing":
        return f'"{key}" is missing'
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return message if item["loc"] == () or message.startswith("the limit on") else f'"{key}": {message}'
    words = _PLAIN.sub(lambda match: _WORDS[match[0]], message)
    return f'"{key}" {words}, got {item["input"]!r:.80}'


def _meant(name: str, allowed: list[str]) -> str:
    """A hint at the key that an unknown one stands for; empty where none comes to mind."""
    known = _OTHER_NAMES.get(name.lower())
    if known in allowed:
        return f' (did you mean "{known}"?)'
    if name in DataSpec.model_fields:
        return " (it is a key of [data.test])"
    return nearest(name, allowed)


def _merged(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The four complaints about a value that may be text, a number or true/false are one."""
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        loc = item["loc"]
        if loc and loc[-1] in _SCALARS:
            merged[loc[:-1]] = {**item, "loc": loc[:-1], "msg": "Input should be text, a finite number, true or false"}
        else:
            merged[(*loc, item["type"])] = dict(item)
    return list(merged.values())


def _keys_at(model: type[BaseModel], loc: list[Any]) -> list[str]:
    """The keys that are allowed where an unknown one stood."""
    for part in loc:
        if isinstance(part, int):
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        if field is None:  # the name of a column in [columns]
            continue
        inner = _model_in(field.annotation)
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
