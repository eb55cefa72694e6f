"""Group rates with intervals and verdict bounds: closed forms on counts, against fairlearn's bootstrap of rows.

fairlearn's ``MetricFrame(n_boot=1000)`` is extrapolated from a few replicates, since all would take a quarter of an
hour: its cost grows in proportion to the replicates beyond the first point estimate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.stats import RATES, Cells, compare_groups, group_rates, tabulate
from audit.stats.bases import evaluate
from benchmarks._figures import Result, cpu_seconds, peak_mb, result

METRICS = tuple(RATES)[:7]
SIZES = (5, 4, 3)
ROWS, PEER_ROWS, PEER_GROUPS, REPLICATES = 10_000_000, 100_000, 10, 2


def main() -> Result:
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, size, ROWS, dtype=np.uint8) for size in SIZES]
    label, decision = rng.random(ROWS) < 0.3, rng.random(ROWS) < 0.4
    large = cpu_seconds(lambda: audit(tabulate(columns, SIZES, label, decision)), 5)
    memory = peak_mb(lambda: audit(tabulate(columns, SIZES, label, decision)))
    group = rng.integers(0, PEER_GROUPS, PEER_ROWS, dtype=np.uint8)
    y, d = label[:PEER_ROWS], decision[:PEER_ROWS]
    ours = cpu_seconds(lambda: audit(tabulate([group], (PEER_GROUPS,), y, d)), 7)
    theirs = fairlearn_seconds(group, y, d)
    figures = {
        "10M rows x 60 groups x 7 metrics, CPU s": large,
        "10M rows x 60 groups x 7 metrics, MB": memory,
        "100k rows x 10 groups x 7 metrics, CPU s": ours,
        "the same by fairlearn n_boot=1000, CPU s": theirs,
        "ratio": theirs / ours,
    }
    targets = {
        "10M rows x 60 groups x 7 metrics, CPU s": "<= 0.1",
        "10M rows x 60 groups x 7 metrics, MB": "<= 32",
        "ratio": ">= 10000",
    }
    return result("fairness_speed", figures, targets)


def audit(cells: Cells) -> float:
    """Every rate with its interval, and bounds of the gaps of all pairs, alone and together."""
    worst = 0.0
    for name in METRICS:
        bases = [basis for basis in group_rates(cells, name) if basis is not None]
        evaluate(bases, 0.025)
        gaps = compare_groups(
            bases,
            compare="difference",
            contrast="pairs",
            reference=None,
            overall=None,
            tolerance=0.1,
            level=0.95,
            alpha=0.05 / len(METRICS),
        )
        worst = max(worst, float(gaps.family_lower.max()))
    return worst


def fairlearn_seconds(group: NDArray[np.uint8], y: NDArray[np.bool_], d: NDArray[np.bool_]) -> float:
    """CPU seconds of MetricFrame with 1,000 replicates, from the cost of two more than one."""
    from fairlearn import metrics as fl
    from sklearn.metrics import accuracy_score, precision_score

    measures = {
        "selection_rate": fl.selection_rate,
        "tpr": fl.true_positive_rate,
        "fpr": fl.false_positive_rate,
        "tnr": fl.true_negative_rate,
        "fnr": fl.false_negative_rate,
        "ppv": precision_score,
        "accuracy": accuracy_score,
    }

    def frame(n_boot: int) -> None:
        fl.MetricFrame(
            metrics=measures,
            y_true=y.astype(int),
            y_pred=d.astype(int),
            sensitive_features=group,
            n_boot=n_boot,
            ci_quantiles=[0.025, 0.975],
            random_state=1,
        )

    one, more = cpu_seconds(lambda: frame(1), 1), cpu_seconds(lambda: frame(1 + REPLICATES), 1)
    return one + 999 * (more - one) / REPLICATES
