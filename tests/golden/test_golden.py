"""A result that was written once can be read for ever, by every writer."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from audit import store, writers
from docs.generate import result_schema
from tests.store.test_format import with_groups

GOLDEN = Path(__file__).parent / "v1"


def test_the_stored_run_is_read_as_it_was_written() -> None:
    assert store.verify_integrity(GOLDEN) == []
    run = store.read(GOLDEN)
    made = with_groups()
    assert run.findings == made.findings
    assert run.records == made.records
    assert (run.verdict, run.exit_code, run.name) == (made.verdict, made.exit_code, made.name)


def test_the_stored_result_fits_the_published_schema() -> None:
    jsonschema.validate(json.loads((GOLDEN / "result.json").read_text(encoding="utf-8")), result_schema())


@pytest.mark.parametrize("name", sorted(writers.FILES))
def test_every_writer_takes_the_stored_run(tmp_path: Path, name: str) -> None:
    path = tmp_path / writers.FILES[name]
    writers.writer(name)(store.read(GOLDEN), path)
    assert path.stat().st_size > 100
