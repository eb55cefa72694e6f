"""Write what is generated from the code: the two JSON Schemas and the page of the checks. Run by `make docs`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from audit.record import AuditRun
from audit.registry import CheckInfo, Registry, find
from audit.spec import AuditSpec

ROOT = Path(__file__).parent.parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

CONTRACTS = (
    ("Finite", "Over every degenerate table (0, 1, 2 rows; one group; one label; one score; NaN and infinite scores; "
     "an empty column; an empty group; one class; duplicates; 200 groups; hostile names) it never raises, and every "
     "number is finite and lies inside its interval, with its unit, level and n."),
    ("Rows", "The order of the rows changes no number. Checks of cost `gradient` look at a seeded sample of the rows, "
     "so for them this holds where the sample is the whole table."),
    ("Names", "Renaming the groups changes no number."),
    ("Batches", "Neither the chunks of the table nor the rows a call of the model change a number."),
    ("Scale", "A feature in another unit leaves what is measured from predictions as it is."),
)  # fmt: skip


def audit_schema() -> Schema:
    """JSON Schema of audit.toml."""
    return {"$schema": DIALECT, "title": "audit.toml", **AuditSpec.model_json_schema(by_alias=True)}


def result_schema() -> Schema:
    """JSON Schema of result.json, version 1: the types of a run, as :mod:`audit.store.formats.v1` writes them."""
    schema = TypeAdapter(AuditRun).json_schema(mode="serialization")
    kinds: dict[str, Schema] = schema["$defs"]
    for kind in kinds.values():
        if "properties" in kind:
            kind["additionalProperties"] = False
    kinds["Array"] = _object({"array": "string", "sha256": "string", "shape": "array", "dtype": "string"})
    kinds["StoredMeasurement"] = _extended(kinds["Measurement"], {"at": {"type": "integer"}})
    kinds["Grid"] = _object(GRID)
    outcome = kinds["Outcome"]
    outcome["properties"]["measurements"]["items"] = {"$ref": "#/$defs/StoredMeasurement"}
    kinds["Outcome"] = _extended(
        outcome, {"grids": {"type": "array", "items": {"$ref": "#/$defs/Grid"}}, "levels": {"type": "array"}}
    )
    kinds["Headline"] = _object(HEADLINE)
    kinds["Headline"]["properties"]["detail"] = {"$ref": "#/$defs/Finding"}
    schema["properties"]["findings"]["items"] = {"$ref": "#/$defs/Headline"}
    return {"$schema": DIALECT, **schema, "title": "result.json of Assay, version 1", "additionalProperties": False}


GRID: Mapping[str, str] = {
    **dict.fromkeys(("name", "unit", "method", "compare", "basis"), "string"),
    **dict.fromkeys(("params", "interval", "numbers"), "object"),
    **dict.fromkeys(("columns", "by", "at", "n"), "array"),
    "levels": "integer",
}
HEADLINE: Mapping[str, str | list[str]] = {
    **dict.fromkeys(("id", "family", "measure", "compare", "verdict", "level", "message", "remedy"), "string"),
    **dict.fromkeys(("slice", "limit", "detail"), "object"),
    "columns": "array",
    "value": ["number", "null"],
    "interval": ["object", "null"],
    "n": "integer",
    "waived": "boolean",
}


def _object(fields: Mapping[str, str | list[str]]) -> Schema:
    properties = {name: {"type": kind} for name, kind in fields.items()}
    return {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}


def _extended(schema: Schema, more: Mapping[str, Schema]) -> Schema:
    properties = {**schema["properties"], **more}
    return {**schema, "properties": properties, "required": [*schema.get("required", ()), *more]}


def checks_page(registry: Registry) -> str:
    """docs/checks.md: what every check measures, and the contracts that the tests hold it to."""
    checks = [registry.checks[name] for name in sorted(registry.checks)]
    lines = [
        "# The checks",
        "",
        "Made by `make docs` from the checks themselves. `audit explain CHECK` shows the whole of one. A parameter of "
        "kind *each* is one that a limit must name: the measure exists for each of its values alone.",
        "",
        *(f"- **{name}**: {words}" for name, words in CONTRACTS),
        "",
        f"| check | cost | {' | '.join(name for name, _ in CONTRACTS)} |",
        f"|---|---|{'---|' * len(CONTRACTS)}",
        *(_row(check) for check in checks),
        "",
        *(line for check in checks for line in _section(check)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _row(check: CheckInfo) -> str:
    held = ["yes", "yes, over its sample" if check.cost == "gradient" else "yes", "yes", "yes"]
    scale = "does not apply" if "explanations" in check.inputs or check.cost == "gradient" else "yes"
    return f"| [{check.id}](#{check.id.replace('.', '')}) | {check.cost} | {' | '.join([*held, scale])} |"


def _section(check: CheckInfo) -> list[str]:
    measures = [
        f"| `{name}` | {note.words} | {note.unit} | {note.better} | "
        f"{', '.join(f'`{p}` ({kind})' for p, kind in note.params.items())} |"
        for name, note in check.measures.items()
    ]
    head = ["| measure | in words | unit | better | parameters |", "|---|---|---|---|---|"]
    return [f"## {check.id}", "", check.summary, "", *head, *measures, ""]


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


FILES: Mapping[str, Callable[[], str]] = {
    "audit.schema.json": lambda: _json(audit_schema()),
    "result.schema.json": lambda: _json(result_schema()),
    "docs/checks.md": lambda: checks_page(find()),
}
"""Path below the repository's root -> what stands there."""


def main() -> None:
    for name, made in FILES.items():
        (ROOT / name).write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
