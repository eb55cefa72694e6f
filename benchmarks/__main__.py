"""``python -m benchmarks [NAME ...]``: the last line of each is one JSON object."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(name: str) -> bool:
    """Print the benchmark's table and its figures; whether every target is met."""
    result = importlib.import_module(f"benchmarks.{name}").main()
    print(json.dumps(result), flush=True)
    return bool(result["met"])


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("[a-z]*.py"))


def chosen(wanted: list[str]) -> list[str]:
    strange = [name for name in wanted if name not in names()]
    if strange:
        raise SystemExit(f'no benchmark is named "{strange[0]}": {", ".join(names())}')
    return wanted or names()


if __name__ == "__main__":
    missed = [name for name in chosen(sys.argv[1:]) if not run(name)]
    sys.exit(1 if missed else 0)
