"""Groups that look alike are compared once, block by block: every finding stays what it is group by group."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.policy import Finding, each
from audit.policy import gaps as judged_by
from audit.policy.options import Case
from audit.results import Basis
from audit.stats import Kinds, average, compare_groups, contrasts, interval, rate, rows_for_bound
from tests.policy.worlds import a_limit, of_basis, rules, verdict_on

# few different counts, so that many groups are alike; some pairs have power
COUNTS = st.sampled_from([(0, 9), (9, 9), (4, 9), (30, 60), (55, 60), (400, 800), (420, 800), (800, 800), (0, 800)])
GROUPS = st.lists(COUNTS, min_size=2, max_size=40)
ASKED = st.sampled_from([("difference", None, 0.1), ("difference", None, 0.9), ("ratio", 0.8, None)])


def apart(cases: Sequence[Case]) -> Kinds:
    """Every group for itself."""
    return Kinds.apart(len(cases[0].found))


def finding(counts: Sequence[tuple[int, int]], asked: tuple[str, float | None, float | None], under: str) -> Finding:
    compare, least, most = asked
    limit = a_limit(by=("sex",), compare=compare, min=least, max=most)
    return verdict_on(limit, {f"g{i:02}": count for i, count in enumerate(counts)}, underpowered=under)


@given(GROUPS, ASKED, st.sampled_from(["block", "list"]), st.sampled_from([3, 1 << 16]))
def test_a_finding_is_the_same_whether_groups_that_are_alike_are_compared_once_or_one_by_one(
    counts: list[tuple[int, int]], asked: tuple[str, float | None, float | None], under: str, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrasts, "_CHUNK", block)
        together = finding(counts, asked, under)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged_by, "kinds_of", apart)
        assert together == finding(counts, asked, under)


@given(GROUPS, st.integers(1, 30))
def test_kinds_of_pairs_stand_for_every_pair_of_groups_once(counts: list[tuple[int, int]], size: int) -> None:
    kinds = Kinds.alike(counts)
    blocks = list(kinds.pairs(size))
    pairs = [
        (counts[i], counts[j])
        for first, second, count in blocks
        for a, b, n in zip(first.tolist(), second.tolist(), count.tolist(), strict=True)
        for i, j in list(kinds.groups(a, b))[: n + 1]
    ]
    assert sorted(pairs) == sorted(combinations(counts, 2))


def test_as_many_comparisons_are_made_as_there_are_different_counts_however_many_groups_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def counted(self: contrasts.Comparing) -> object:
        for block in blocks(self):
            made.append(len(block))
            yield block

    blocks = contrasts.Comparing.blocks
    monkeypatch.setattr(contrasts.Comparing, "blocks", counted)
    counts = [(k, n) for n in (4, 5, 6) for k in range(n)] * 60
    found = finding(counts, ("difference", None, 0.1), "block")
    assert found.comparisons == 900 * 899 // 2
    assert max(made) <= 15 * 15
    assert len(found.blocking) == 20


def test_kinds_are_told_apart_by_rows_census_and_parts() -> None:
    def kinds(*bases: Basis, n: Sequence[int]) -> int:
        found = [
            of_basis("accuracy", basis, rows, {"sex": str(i)})
            for i, (basis, rows) in enumerate(zip(bases, n, strict=True))
        ]
        limit = a_limit(by=("sex",), compare="difference", max=0.1)
        note = rules().measures["accuracy"]
        case = Case(limit=limit, found=found, omitted=(), overall=None, note=note, rules=rules(), alpha=0.05)
        return len(judged_by.kinds_of([case]).first)

    assert kinds(rate(1, 9), rate(1, 9), n=(9, 9)) == 1
    assert kinds(rate(1, 9), rate(1, 9), n=(9, 10)) == 2
    assert kinds(average([rate(1, 9), rate(2, 9)]), average([rate(1, 9), rate(3, 9)]), n=(9, 9)) == 2


def test_more_than_a_block_of_comparisons_is_the_same_table() -> None:
    bases = [rate(k, 40) for k in range(41)]

    def table() -> contrasts.Contrasts:
        return compare_groups(
            bases, compare="difference", contrast="pairs", reference=None, overall=None, tolerance=0.1, level=0.95,
            alpha=0.05,
        )  # fmt: skip

    whole = table()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrasts, "_CHUNK", 7)
        parts = table()
    assert all((getattr(whole, name) == getattr(parts, name)).all() for name in contrasts.COLUMNS)


@given(GROUPS, st.sampled_from(["block", "list"]))
def test_a_bound_on_every_group_judges_the_interval_that_the_group_has_by_itself(
    counts: list[tuple[int, int]], under: str
) -> None:
    found = verdict_on(
        a_limit(by=("sex",), min=0.4), {f"g{i:02}": count for i, count in enumerate(counts)}, underpowered=under
    )
    named = found.blocking or found.listed
    for one in (*named, *([found.comparison] if found.comparison else [])):
        alone = interval(rate(*counts[int(str(one.groups[0]["sex"])[1:])]), 0.95)
        assert (one.lower, one.upper) == pytest.approx((alone.lower, alone.upper), abs=1e-14)


def test_the_rows_that_would_decide_are_searched_for_groups_that_a_finding_names_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Basis] = []

    def searched(basis: Basis, bound: float, level: float) -> int | None:
        asked.append(basis)
        return rows_for_bound(basis, bound, level)

    monkeypatch.setattr(each, "rows_for_bound", searched)
    found = verdict_on(a_limit(by=("sex",), min=0.4), {f"g{i}": (i % 9, 9) for i in range(500)})
    assert len(found.blocking) == 20
    assert all(one.needed_n is not None for one in found.blocking)
    assert len(asked) == 20
