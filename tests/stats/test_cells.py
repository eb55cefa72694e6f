from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from audit.errors import CheckError
from audit.stats import Cells, group_means, group_rates, mean, scale_of, tabulate, value, weighted_rate
from audit.stats.cells import score_bins

RNG = np.random.default_rng(5)
N = 150_000  # more than two blocks
COLUMNS = [RNG.integers(0, size, N, dtype=np.uint8) for size in (3, 4)]
LABEL, DECISION = RNG.random(N) < 0.3, RNG.random(N) < 0.4
SCORE, VALUE, WEIGHT = RNG.random(N), RNG.normal(size=N) ** 3, RNG.lognormal(size=N)
SCALE = scale_of(np.append(VALUE, WEIGHT))


def table(at: np.ndarray) -> Cells:
    columns = [column[at] for column in COLUMNS]
    more = {"score": SCORE[at], "value": VALUE[at], "weight": WEIGHT[at]}
    return tabulate(columns, (3, 4), LABEL[at], DECISION[at], scale=SCALE, **more)


def digest(cells: Cells) -> bytes:
    sums = [cells.moments.totals(), cells.weights.totals()] if cells.moments and cells.weights else []
    return b"".join(part.tobytes() for part in (cells.counts, cells.histogram, *sums) if part is not None)


def test_any_order_of_rows_in_any_chunks_gives_the_same_bytes() -> None:
    whole = table(np.arange(N))
    shuffled = np.random.default_rng(6).permutation(N)
    parts = [table(part) for part in np.array_split(shuffled, 7)]
    merged = parts[3]
    for i in (6, 0, 2, 5, 1, 4):
        merged = merged + parts[i]
    assert digest(merged) == digest(whole)


def test_each_cell_counts_what_scikit_learn_counts() -> None:
    cells = table(np.arange(N))
    for group in range(3):
        at = COLUMNS[0] == group
        assert np.array_equal(cells.by(0).counts[group], confusion_matrix(LABEL[at], DECISION[at]))
    crossed = (COLUMNS[0] == 1) & (COLUMNS[1] == 2)
    assert np.array_equal(cells.counts[1, 2], confusion_matrix(LABEL[crossed], DECISION[crossed]))
    assert cells.by().counts.sum() == N


def test_rates_of_cells_equal_scikit_learns_to_twelve_digits() -> None:
    cells = table(np.arange(N)).by(0)
    plain = Cells(counts=cells.counts)
    for group in range(3):
        at = COLUMNS[0] == group
        weighted = {"sample_weight": WEIGHT[at]}
        for name, theirs in (("true_positive_rate", recall_score), ("positive_predictive_value", precision_score)):
            ours, heavy = group_rates(plain, name)[group], group_rates(cells, name)[group]
            assert ours is not None
            assert heavy is not None
            assert value(ours) == pytest.approx(theirs(LABEL[at], DECISION[at]), abs=1e-12)
            assert value(heavy) == pytest.approx(theirs(LABEL[at], DECISION[at], **weighted), abs=1e-12)


def test_weighted_cells_give_the_basis_that_the_rows_give() -> None:
    found = group_rates(table(np.arange(N)).by(0), "selection_rate")[2]
    assert found is not None
    at = COLUMNS[0] == 2
    rows = weighted_rate(DECISION[at], WEIGHT[at])
    assert dict(found.numbers) == pytest.approx(dict(rows.numbers), rel=1e-9)


def test_means_of_cells_equal_those_of_the_rows() -> None:
    found = group_means(table(np.arange(N)).by(0))
    for group, basis in enumerate(found):
        assert basis is not None
        rows = mean(VALUE[COLUMNS[0] == group])
        assert dict(basis.numbers) == pytest.approx(dict(rows.numbers), rel=1e-7, abs=1e-9)


def test_a_group_without_a_denominator_has_no_rate_and_is_not_dropped() -> None:
    cells = tabulate([np.array([0, 0, 1])], (3,), np.array([0, 1, 0]), np.array([1, 1, 1]))
    found = group_rates(cells, "true_positive_rate")
    assert [basis is None for basis in found] == [False, True, True]
    assert group_means(tabulate([np.zeros(2, int)], (1,), LABEL[:2], LABEL[:2], value=np.ones(2))) == [None]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_sums_are_those_of_exact_arithmetic_after_one_rounding_a_value(values: list[float]) -> None:
    array, zeros = np.array(values), np.zeros(len(values), dtype=int)
    scale = scale_of(array)
    cells = tabulate([zeros], (1,), zeros, zeros, value=array, scale=scale)
    assert cells.moments is not None
    exact = sum(Fraction(v) for v in values)
    assert abs(Fraction(float(cells.moments.totals()[0, 0])) - exact) <= Fraction(scale) * len(values) / 2**50


def test_scores_fall_into_256_bins_of_equal_width_and_one_into_the_last() -> None:
    assert score_bins(np.array([0.0, 1 / 256, 0.5, 0.999, 1.0])).tolist() == [0, 1, 128, 255, 255]
    for wrong in (1.01, -0.1, np.nan):
        with pytest.raises(CheckError, match=r"lie in 0\.\.1"):
            score_bins(np.array([0.5, wrong]))


@pytest.mark.parametrize(("code", "size"), [(3, 3), (-1, 3), (300, 300)])
def test_a_code_outside_its_range_is_refused_not_counted_elsewhere(code: int, size: int) -> None:
    with pytest.raises(CheckError, match="codes lie in"):
        tabulate([np.array([0, code])], (size,), LABEL[:2], DECISION[:2])


def test_many_groups_and_classes_do_not_wrap_around() -> None:
    group, label, decision = RNG.integers(0, 5000, N), RNG.integers(0, 5, N), RNG.integers(0, 5, N)
    cells = tabulate([group], (5000,), label, decision, classes=5)
    slow = np.zeros((5000, 5, 5), dtype=int)
    np.add.at(slow, (group, label, decision), 1)
    assert np.array_equal(cells.counts, slow)


def test_cells_of_different_tables_and_scales_do_not_merge() -> None:
    at = np.arange(10)
    with pytest.raises(CheckError, match="same tables"):
        table(at) + tabulate([COLUMNS[0][:10]], (3,), LABEL[:10], DECISION[:10])
    one, two = (tabulate([at * 0], (1,), at * 0, at * 0, value=at / 16, scale=s) for s in (1.0, 2.0))
    with pytest.raises(CheckError, match="one scale"):
        one + two
    with pytest.raises(CheckError, match="power of two"):
        tabulate([at * 0], (1,), at * 0, at * 0, value=at / 16, scale=3.0)
    with pytest.raises(CheckError, match="within the scale"):
        tabulate([at * 0], (1,), at * 0, at * 0, value=at, scale=1.0)
    with pytest.raises(CheckError, match="once, in order"):
        table(at).by(1, 0)
    with pytest.raises(CheckError, match="did you mean"):
        group_rates(table(at), "selection_rat")
