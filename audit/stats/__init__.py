"""The statistics kernel: a basis holds a method and its sufficient numbers, and gives its interval at any level.

numpy and scipy.special only: no resampling, no seed, so the same input gives the same bytes.
"""

from audit.stats.assumptions import assumption_range, exact
from audit.stats.bases import interval, measured, method_words, rows, value
from audit.stats.calibration import (
    calibration_in_the_large,
    calibration_slope,
    ecce,
    ecce_p_value,
    expected_calibration_error,
)
from audit.stats.contrasts import Contrasts, compare_groups
from audit.stats.means import mean, mean_from_sums, root_mean
from audit.stats.mover import average
from audit.stats.pairs import complement, difference, ratio
from audit.stats.power import rows_for_bound, smallest_gap
from audit.stats.proportions import f1, rate
from audit.stats.ranks import auc, average_precision
from audit.stats.simultaneous import holm, simultaneous_z, tukey_z
from audit.stats.streams import generator, seed_for
from audit.stats.transformed import normal, r_squared

__all__ = [
    "Contrasts",
    "assumption_range",
    "auc",
    "average",
    "average_precision",
    "calibration_in_the_large",
    "calibration_slope",
    "compare_groups",
    "complement",
    "difference",
    "ecce",
    "ecce_p_value",
    "exact",
    "expected_calibration_error",
    "f1",
    "generator",
    "holm",
    "interval",
    "mean",
    "mean_from_sums",
    "measured",
    "method_words",
    "normal",
    "r_squared",
    "rate",
    "ratio",
    "root_mean",
    "rows",
    "rows_for_bound",
    "seed_for",
    "simultaneous_z",
    "smallest_gap",
    "tukey_z",
    "value",
]
