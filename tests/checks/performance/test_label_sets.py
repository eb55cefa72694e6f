"""Labels taken together: equal to scikit-learn's, with intervals that know that the labels of a row go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from audit.results import Measurement, Reason, Table
from audit.stats import f1_from_jaccard, interval, rate
from tests.worlds.random_tables import LABELS, Cells, multilabel_case, multilabel_cells, shuffled, slices
from tests.worlds.tables import are_alike, evidence, make_case, measurement, run_check

ID = "performance.label_sets"


def whole(cells: Cells) -> Cells:
    """Without missing truths and scores, for whom scikit-learn has no answer."""
    return {k: np.array([0 if v is None else v for v in c]) if k in LABELS else np.nan_to_num(c) if k[:2] == "p_" else c
            for k, c in cells.items()}  # fmt: skip


def test_all_measures_equal_scikit_learns_for_every_group() -> None:
    cells = whole(multilabel_cells(1))
    outcome = run_check(multilabel_case(cells), ID)
    truth, chosen = (np.column_stack([cells[c] for c in LABELS]),
                     np.column_stack([cells[f"p_{c}"] >= 0.5 for c in LABELS]).astype(int))  # fmt: skip
    for group, mask in slices(cells):
        y, d = truth[mask], chosen[mask]
        assert measurement(outcome, "hamming_loss", by=group).value == pytest.approx(
            metrics.hamming_loss(y, d), abs=1e-12
        )
        exact = metrics.accuracy_score(y, d)
        assert measurement(outcome, "subset_accuracy", by=group).value == pytest.approx(exact, abs=1e-12)
        for average in ("micro", "samples"):
            given_ = {"average": average, "zero_division": np.nan}
            for key, score in (
                ("precision", metrics.precision_score),
                ("recall", metrics.recall_score),
                ("f1", metrics.f1_score),
            ):
                found = measurement(outcome, f"{average}_{key}", by=group)
                assert found.value == pytest.approx(score(y, d, **given_), abs=1e-12)
        either = (y | d).any(axis=1)
        jaccard = metrics.jaccard_score(y[either], d[either], average="samples")
        assert measurement(outcome, "samples_jaccard", by=group).value == pytest.approx(jaccard, abs=1e-12)


def test_a_missing_truth_leaves_out_one_decision_and_is_counted() -> None:
    cells = {"a": [1, 0, None, 1], "b": [0, None, 1, 1], "d": [1, 1, 0, 1], "e": [0, 0, 1, 0]}
    outcome = run_check(make_case(cells, target=["a", "b"], prediction=["d", "e"]), ID)
    hamming = measurement(outcome, "hamming_loss")
    assert (hamming.value, hamming.n) == (pytest.approx(2 / 6, abs=1e-12), 6)
    exact = measurement(outcome, "subset_accuracy")
    assert (exact.value, exact.n) == (0.5, 2)
    table = evidence(outcome, "labels")
    assert isinstance(table, Table)
    assert table.rows == (("a", 3, 1, 2, 3, 2), ("b", 3, 1, 2, 1, 1))


def test_no_wrong_decision_at_all_is_no_certainty() -> None:
    y = [1, 0, 1, 1, 0, 0] * 5
    cells = {"a": y, "b": y[::-1], "d": y, "e": y[::-1]}
    outcome = run_check(make_case(cells, target=["a", "b"], prediction=["d", "e"]), ID)
    found: Measurement = measurement(outcome, "hamming_loss")
    assert (found.value, found.interval.lower) == (0.0, 0.0)
    assert found.interval.upper > 0.05


def test_rows_without_any_label_have_no_samples_value_and_no_zero() -> None:
    cells = {"a": [0, 0], "b": [0, 0], "d": [0, 0], "e": [0, 0]}
    outcome = run_check(make_case(cells, target=["a", "b"], prediction=["d", "e"]), ID)
    undefined = {o.name for o in outcome.omissions if o.reason is Reason.UNDEFINED}
    assert {"samples_f1", "samples_recall", "micro_recall", "micro_f1"} <= undefined
    assert measurement(outcome, "subset_accuracy").value == 1.0


def test_labels_that_always_go_together_are_worth_no_more_than_one() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 200)
    wrong = rng.random(200) < 0.3
    cells = {f"{kind}{k}": y ^ (wrong & (kind == "d")) for kind in "yd" for k in range(5)}
    outcome = run_check(
        make_case(cells, target=[f"y{k}" for k in range(5)], prediction=[f"d{k}" for k in range(5)]), ID
    )
    found, alone = measurement(outcome, "hamming_loss").interval, interval(rate(int(wrong.sum()), 200), 0.95)
    assert found.half_width == pytest.approx(alone.half_width, rel=0.03)


def test_f1_of_a_jaccard_index_is_the_same_function_of_value_and_bounds() -> None:
    jaccard = rate(30, 70)
    below, above = interval(jaccard, 0.9), interval(f1_from_jaccard(jaccard), 0.9)
    assert above.lower == pytest.approx(2 * below.lower / (1 + below.lower), abs=1e-12)
    assert above.upper == pytest.approx(2 * below.upper / (1 + below.upper), abs=1e-12)


def test_weights_reach_every_measure() -> None:
    cells = whole(multilabel_cells(3))
    cells["w"] = np.random.default_rng(3).lognormal(size=400)
    case = multilabel_case(cells)
    test = case.datasets["test"]
    case = replace(case, datasets={"test": replace(test, roles=replace(test.roles, weight="w"))})
    y, d = np.column_stack([cells[c] for c in LABELS]), np.column_stack([cells[f"p_{c}"] >= 0.5 for c in LABELS])
    outcome = run_check(case, ID)
    loss = metrics.hamming_loss(y, d, sample_weight=cells["w"])
    assert measurement(outcome, "hamming_loss").value == pytest.approx(loss, abs=1e-12)
    either = (y | d).any(axis=1)
    each = [metrics.f1_score(a[None], b[None], average="samples") for a, b in zip(y[either], d[either], strict=True)]
    assert measurement(outcome, "samples_f1").value == pytest.approx(np.average(each, weights=cells["w"][either]))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    cells = multilabel_cells(seed, n=50)
    assert are_alike(*(run_check(multilabel_case(c), ID) for c in (cells, shuffled(cells, seed))))
