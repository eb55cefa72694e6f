"""audit diff: what moved between two runs, held against subtraction and a normal interval."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest

from audit import store
from audit.cli._comparing import changes, keyed, same_words, sameness, verdicts
from tests.cli.conftest import Call

Runs = tuple[Path, Path]


def test_every_difference_is_second_minus_first_and_lies_in_its_interval(two_runs: Runs) -> None:
    first, second = map(store.read, two_runs)
    before, after = dict(keyed(first)), dict(keyed(second))
    found = changes(first, second, 0.95)
    assert len(found) == len(before.keys() & after.keys())
    for change in found:
        assert change.value == change.second.value - change.first.value
        assert change.interval.lower <= change.value <= change.interval.upper


def test_the_interval_of_a_moved_rate_is_close_to_the_normal_one(two_runs: Runs) -> None:
    first, second = map(store.read, two_runs)
    (moved,) = [c for c in changes(first, second, 0.95) if c.first.name == "accuracy" and not c.first.slice]
    a, b = moved.first, moved.second
    half = 1.96 * sqrt(a.value * (1 - a.value) / a.n + b.value * (1 - b.value) / b.n)
    assert moved.interval.half_width == pytest.approx(half, rel=0.02)


def test_clear_changes_come_first_and_the_largest_of_them_first(two_runs: Runs) -> None:
    first, second = map(store.read, two_runs)
    order = [(not c.clear, -c.size) for c in changes(first, second, 0.95)]
    assert order == sorted(order)


def test_swapping_the_runs_turns_every_sign(two_runs: Runs) -> None:
    first, second = map(store.read, two_runs)

    def values(a: object, b: object) -> dict[object, float]:
        found = changes(a, b, 0.95)  # type: ignore[arg-type]
        return {(c.on, c.first.name, str(dict(c.first.params)), str(dict(c.first.slice))): c.value for c in found}

    forward, back = values(first, second), values(second, first)
    assert {key: -value for key, value in forward.items()} == back


def test_a_run_against_itself_has_moved_nowhere(two_runs: Runs, call: Call) -> None:
    found = call("diff", two_runs[0], two_runs[0])
    assert found.code == 0
    assert "0 verdicts changed" in found.out
    assert "\n0 of " in found.out
    assert "same data" in found.out


def test_json_says_what_is_the_same_and_what_is_not(two_runs: Runs, call: Call) -> None:
    found = call("diff", two_runs[0], two_runs[1], "--json").json()
    assert found["same"] == {"test": False}
    assert {"measure", "first", "second", "difference", "lower", "upper", "n"} <= found["measures"][0].keys()


def test_a_limit_in_one_run_only_is_a_changed_verdict(two_runs: Runs) -> None:
    first = store.read(two_runs[0])
    without = replace(first, findings=())
    assert [name for name, _, _ in verdicts(first, without)] == [finding.id for finding in first.findings]


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        (("a" * 64, "a" * 64), ("b" * 64, "b" * 64), "same data, same model"),
        (("a" * 64, "c" * 64), ("b" * 64, "b" * 64), "same data, other model"),
        (("a" * 64, "a" * 64), ("b" * 64, "c" * 64), "other data, same model"),
        (("", "c" * 64), ("b" * 64, "b" * 64), "same data, not known to be the same model"),
    ],
)
def test_hashes_say_what_was_held_fixed(
    two_runs: Runs, model: tuple[str, str], data: tuple[str, str], words: str
) -> None:
    stored = store.read(two_runs[0])
    first, second = (
        replace(
            stored,
            model=replace(stored.model, kind="sklearn", sha256=model[i]),
            data=tuple(replace(table, sha256=data[i]) for table in stored.data),
        )
        for i in (0, 1)
    )
    assert same_words(sameness(first, second)) == words
