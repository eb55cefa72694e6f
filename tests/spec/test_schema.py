"""The published schemas and the page of the checks are those of the code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.demo import specs
from audit.store.formats import v1
from docs import generate
from tests.reports.runs import rich


@pytest.mark.parametrize("name", generate.FILES)
def test_a_generated_file_is_current(name: str) -> None:
    assert (generate.ROOT / name).read_text(encoding="utf-8") == generate.FILES[name](), f"run: make docs ({name})"


@pytest.mark.parametrize("schema", [generate.audit_schema(), generate.result_schema()])
def test_a_schema_is_one(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("text", [specs.PIPELINE, specs.MLP, specs.DIGITS])
def test_the_schema_of_audit_toml_takes_what_the_reader_takes(text: str) -> None:
    jsonschema.validate(tomllib.loads(text), generate.audit_schema())


@pytest.mark.parametrize(
    "text", ['name = "x"', 'name = "x"\nnmae = "y"\n[data.test]\npath = "t.csv"', 'name = "x"\n[data.test]\npath = 1']
)
def test_the_schema_of_audit_toml_refuses_what_the_reader_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), generate.audit_schema())


def test_a_result_fits_its_schema_and_one_with_a_key_more_does_not() -> None:
    content, _ = v1.dump(rich())
    schema = generate.result_schema()
    jsonschema.validate(content, schema)
    for broken in ({**content, "extra": 1}, {k: v for k, v in content.items() if k != "verdict"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_the_generator_writes_nothing_outside_the_repository() -> None:
    assert all((generate.ROOT / name).resolve().is_relative_to(generate.ROOT.resolve()) for name in generate.FILES)
    assert Path(generate.ROOT / "pyproject.toml").exists()
