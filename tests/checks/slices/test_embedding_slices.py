"""Slices over clusters of embeddings: errors planted in one are found, noise is not, and rows show only if allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from audit.case import Case
from audit.inputs.embedding_clusters import clustered
from audit.results import Outcome, Table
from audit.stats import find_slices
from tests.worlds.tables import make_case, run_check

N, BLOBS, WIDTH = 2000, 10, 16


def embedded(rng: np.random.Generator) -> tuple[Any, Any]:
    """Rows of ten kinds that only their embeddings tell apart."""
    kind = rng.integers(0, BLOBS, N)
    return 3 * rng.normal(size=(BLOBS, WIDTH))[kind] + rng.normal(size=(N, WIDTH)), kind


def world(seed: int, *, planted: bool, rows: str = "none", **columns: Any) -> tuple[Case, Any]:
    rng = np.random.default_rng(seed)
    vectors, kind = embedded(rng)
    label = rng.integers(0, 2, N)
    wrong = rng.random(N) < np.where(planted & (kind == 0), 0.4, 0.08)
    cells = {"y": label, "d": label ^ wrong, "key": [f"row-{i}" for i in range(N)], "vec": vectors.tolist(), **columns}
    case = make_case(cells, target="y", positive=1, prediction="d", id="key", described={"vec": {"kind": "embedding"}})
    spec = case.spec.model_copy(update={"evidence": case.spec.evidence.model_copy(update={"rows": rows})})
    return replace(case, spec=spec), kind == 0


def rules(outcome: Outcome) -> list[dict[str, str | None]]:
    return [dict(m.slice) for m in outcome.measurements if m.name == "slice_error_rate"]


def test_errors_planted_in_a_cluster_are_named_by_it_and_its_typical_rows_are_shown_where_they_may_be() -> None:
    case, inside = world(1, planted=True, rows="sample")
    outcome = run_check(case, "slices.worst_slices")
    named = rules(outcome)
    assert named
    assert {column for rule in named for column in rule} <= {"vec", "vec (coarse)"}
    assert all(str(level).startswith("embedding cluster") for rule in named for level in rule.values())
    shown = next(e for e in outcome.evidence if isinstance(e, Table) and e.name == "cluster_examples")
    rows = [int(word.removeprefix("row-")) for line in shown.rows for word in str(line[1]).split(", ")]
    assert inside[rows].mean() > 0.9


def test_rows_that_may_not_be_shown_are_not_named() -> None:
    case, _ = world(1, planted=True)
    outcome = run_check(case, "slices.worst_slices")
    assert rules(outcome)
    assert [e.name for e in outcome.evidence if isinstance(e, Table)] == ["worst_slices"]
    assert "row-" not in str(outcome)


def test_a_planted_cluster_is_found_nine_times_in_ten_and_noise_names_one_in_at_most_5_percent() -> None:
    found, invented, sets = 0, 0, 30
    for seed in range(sets):
        rng = np.random.default_rng([7, seed])
        vectors, kind = embedded(rng)
        both = [clustered(vectors, seed, fewer)[0] for fewer in (1, 2)]
        columns, sizes = [one.codes for one in both], [len(one.levels) for one in both]
        planted = find_slices(columns, sizes, rng.random(N) < np.where(kind == 0, 0.3, 0.1)).found
        named = [np.logical_and.reduce([columns[c] == level for c, level in one.rule]) for one in planted]
        inside = np.logical_or.reduce([np.zeros(N, dtype=bool), *named])
        found += (inside & (kind == 0)).sum() >= 0.8 * (inside | (kind == 0)).sum()
        invented += bool(find_slices(columns, sizes, rng.random(N) < 0.1).found)
    assert found >= 0.9 * sets
    assert invented <= 3


@pytest.mark.parametrize("planted", [True, False])
def test_embeddings_stand_beside_features_in_one_search(planted: bool) -> None:
    case, _ = world(3, planted=planted, age=np.arange(N) % 50)
    outcome = run_check(case, "slices.worst_slices")
    assert any({"vec", "vec (coarse)"} & set(rule) for rule in rules(outcome)) is planted
    table = next(e for e in outcome.evidence if isinstance(e, Table))
    assert "hypergeometric" in table.note
