"""An audit talks to nobody, writes nowhere else, and gives the same bytes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.audits import audited, result, run_folder, world

GROUPS = ["black", "white", "asian"]
NO_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise SystemExit("an audit opened a connection: %r" % (arguments,))
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
sys.addaudithook(lambda event, _: refuse(event) if event in {"socket.connect", "socket.getaddrinfo", "socket.bind"} else None)
"""  # noqa: E501


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same inputs audited in two processes with other hash seeds, both without a network."""
    base = tmp_path_factory.mktemp("isolation")
    outs = []
    for seed in ("1", "77"):
        home = base / seed
        spec = world(base / "in", GROUPS) if seed == "1" else base / "in" / "audit.toml"
        home.mkdir()
        done = audited(spec, home / "out", before=NO_NETWORK, PYTHONHASHSEED=seed)
        assert done.returncode in {0, 1, 3}, done.stderr
        outs.append(home / "out")
    return outs[0], outs[1]


def test_no_connection_is_opened_and_nothing_is_written_outside_the_run_folder(twice: tuple[Path, Path]) -> None:
    for out in twice:
        assert [p.name for p in out.parent.iterdir()] == ["out"]
        assert len(list(out.iterdir())) == 1
    inputs = {p.name for p in (twice[0].parents[1] / "in").iterdir()}
    assert inputs == {"audit.toml", "t.parquet", "m.skops"}


def test_the_same_inputs_and_seed_give_the_same_result_but_for_the_machine(twice: tuple[Path, Path]) -> None:
    one, other = map(result, twice)
    for content in (one, other):
        content.pop("machine")
    assert one == other
    assert one["id"] == other["id"]


def test_every_file_but_those_that_name_the_time_is_the_same(twice: tuple[Path, Path]) -> None:
    folders = [run_folder(out) for out in twice]
    evidence = [{p.name: p.read_bytes() for p in (folder / "evidence").iterdir()} for folder in folders]
    assert evidence[0] == evidence[1]
