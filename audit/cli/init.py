"""Write an audit.toml by looking at a model and a data file. What is not clear is left for you, and said."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import AuditError, DataError, StoreError, UsageError, nearest

if TYPE_CHECKING:
    from audit.cli._drafting import Draft, Seen

EPILOG = """examples:
  audit init --model model.skops --data test.parquet --train train.parquet
  audit init --data scores.csv                 # no model: a column of scores or decisions is audited"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="FILE", help=".skops, .safetensors or .onnx")
    parser.add_argument("--data", type=Path, metavar="FILE", required=True, help="the test data: CSV or Parquet")
    parser.add_argument("--train", type=Path, metavar="FILE", help="the data that the model was trained on")
    parser.add_argument("--target", metavar="COLUMN", help="the column that holds the truth")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("audit.toml"), metavar="FILE", help="default: audit.toml"
    )
    parser.add_argument("--force", action="store_true", help="replace the file where it exists")


def run(arguments: argparse.Namespace) -> int:
    from audit.cli._drafting import draft

    out: Path = arguments.out
    if out.exists() and not arguments.force:
        raise UsageError(f"{out} exists: give --force to replace it, or -o FILE to write another")
    written = draft(_look(arguments), out)
    write(out, written.text)
    print(_told(out, written, "" if written.to_fill else _fault(out)))
    return 0


def write(path: Path, text: str) -> None:
    """Whole or not at all. StoreError when it cannot be written."""
    work = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as stream:
            work = Path(stream.name)
            stream.write(text)
        work.chmod(0o644)
        os.replace(work, path)
    except OSError as error:
        if work is not None:
            work.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror or error}: name another file with -o") from error


def _look(arguments: argparse.Namespace) -> Seen:
    from audit.cli._drafting import Seen
    from audit.data.reading import files, read_table

    table = read_table(arguments.data)
    if table.num_rows == 0:
        raise DataError(f"{arguments.data} has no rows: an audit needs at least one")
    if arguments.target and arguments.target not in table.column_names:
        close = nearest(arguments.target, table.column_names)
        raise DataError(f'--target: no column "{arguments.target}" in {arguments.data}{close}')
    if arguments.train is not None:
        files(arguments.train)
    features, classes, unopened = _ask(arguments.model) if arguments.model else (None, (), "")
    return Seen(
        model=arguments.model,
        data=arguments.data,
        train=arguments.train,
        table=table,
        features=features,
        classes=classes,
        unopened=unopened,
        target=arguments.target or "",
    )


def _ask(model: Path) -> tuple[tuple[str, ...] | None, tuple[str, ...], str]:
    """(features, classes, why it could not be asked). Only a skops file can say both before anything is filled in."""
    from audit.models.loading import glance, load_model
    from audit.spec import ModelSpec

    file = glance(str(model.resolve()), Path())
    if file.suffix.lower() != ".skops":
        return None, (), ""
    try:
        opened = load_model(ModelSpec(path=str(file)), Path()).model
    except AuditError as error:
        return None, (), str(error).replace(str(file), model.name)
    return opened.features, opened.classes, ""


def _fault(out: Path) -> str:
    """What audit check would say is still wrong; empty where nothing is."""
    from audit.cli._examine import examine
    from audit.registry import find
    from audit.spec import load

    try:
        return "; ".join(examine(load(out), find(), None).faults)
    except AuditError as error:
        return str(error)


def _told(out: Path, written: Draft, fault: str) -> str:
    lines = [f"wrote {out}", *(f"  {line}" for line in written.said)]
    to_fill = [*written.to_fill, *([fault] if fault else [])]
    if to_fill:
        return "\n".join([*lines, "", "fill in before the audit:", *(f"  {line}" for line in to_fill)])
    return "\n".join([*lines, "", f"next: audit check {out}"])
