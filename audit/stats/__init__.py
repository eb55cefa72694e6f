"""The statistics kernel: a basis holds a method and its sufficient numbers, and gives its interval at any level.

numpy and scipy.special only: no resampling, no seed, so the same input gives the same bytes.
"""

from audit.stats.assumptions import assumption_range, exact
from audit.stats.bases import Asked, interval, measured, measured_together, method_words, rows, value
from audit.stats.calibration import (
    calibration_in_the_large,
    calibration_slope,
    ecce,
    ecce_p_value,
    expected_calibration_error,
)
from audit.stats.cell_measures import RATES, group_means, group_rates
from audit.stats.cells import Cells, join, scale_of, tabulate
from audit.stats.contrasts import Comparing, Contrasts, compare_groups, comparing
from audit.stats.distances import abroca, kolmogorov_smirnov, wasserstein
from audit.stats.equivalence import Equivalence, equivalence, equivalence_p_value, within_margin
from audit.stats.frontier import Frontier, distance_to_frontier, frontier
from audit.stats.inequality import consistency, differential_fairness, generalised_entropy, subgroup_gap
from audit.stats.influence import (
    Influence,
    auc_influence,
    f1_influence,
    linearised,
    mean_influence,
    share_influence,
    weighted_auc,
    weighted_balanced_accuracy,
    weighted_f1,
    weighted_r_squared,
    weighted_root_mean,
)
from audit.stats.influence_scores import weighted_average_precision, weighted_calibration_slope
from audit.stats.kinds import Kinds
from audit.stats.label_bounds import (
    GapBounds,
    Tally,
    labels_to_flip,
    missing_label_bounds,
    sensitivity_curve,
    wrong_label_bounds,
)
from audit.stats.ledger import Ledger, Look, read_ledger, spent_alpha, write_ledger
from audit.stats.lists import Listed, beside_each_other, list_mean, list_rate, ndcg, share_ratio
from audit.stats.means import mean, mean_from_sums, root_mean
from audit.stats.mover import average, least, worst
from audit.stats.paired import mcnemar, paired_counts, paired_difference
from audit.stats.paired_measures import paired_auc, paired_measure, paired_predictive_value, paired_root_mean
from audit.stats.pairs import complement, difference, ratio
from audit.stats.power import rows_for_bound, smallest_distance, smallest_gap
from audit.stats.proportions import f1, f1_from_jaccard, rate, selected_rate
from audit.stats.ranks import auc, average_precision, average_precision_influence
from audit.stats.shrinkage import Shrunk, shrink
from audit.stats.simultaneous import benjamini_hochberg, holm, simultaneous_z, tukey_z
from audit.stats.slices import FoundSlice, SliceSearch, find_slices
from audit.stats.stratified import pooled_difference
from audit.stats.streams import generator, seed_for
from audit.stats.transformed import normal, r_squared, relative_mean
from audit.stats.weighting import clustered_mean, clustered_rate, selected, weighted_mean, weighted_rate

__all__ = [
    "RATES",
    "Asked",
    "Cells",
    "Comparing",
    "Contrasts",
    "Equivalence",
    "FoundSlice",
    "Frontier",
    "GapBounds",
    "Influence",
    "Kinds",
    "Ledger",
    "Listed",
    "Look",
    "Shrunk",
    "SliceSearch",
    "Tally",
    "abroca",
    "assumption_range",
    "auc",
    "auc_influence",
    "average",
    "average_precision",
    "average_precision_influence",
    "benjamini_hochberg",
    "beside_each_other",
    "calibration_in_the_large",
    "calibration_slope",
    "clustered_mean",
    "clustered_rate",
    "compare_groups",
    "comparing",
    "complement",
    "consistency",
    "difference",
    "differential_fairness",
    "distance_to_frontier",
    "ecce",
    "ecce_p_value",
    "equivalence",
    "equivalence_p_value",
    "exact",
    "expected_calibration_error",
    "f1",
    "f1_from_jaccard",
    "f1_influence",
    "find_slices",
    "frontier",
    "generalised_entropy",
    "generator",
    "group_means",
    "group_rates",
    "holm",
    "interval",
    "join",
    "kolmogorov_smirnov",
    "labels_to_flip",
    "least",
    "linearised",
    "list_mean",
    "list_rate",
    "mcnemar",
    "mean",
    "mean_from_sums",
    "mean_influence",
    "measured",
    "measured_together",
    "method_words",
    "missing_label_bounds",
    "ndcg",
    "normal",
    "paired_auc",
    "paired_counts",
    "paired_difference",
    "paired_measure",
    "paired_predictive_value",
    "paired_root_mean",
    "pooled_difference",
    "r_squared",
    "rate",
    "ratio",
    "read_ledger",
    "relative_mean",
    "root_mean",
    "rows",
    "rows_for_bound",
    "scale_of",
    "seed_for",
    "selected",
    "selected_rate",
    "sensitivity_curve",
    "share_influence",
    "share_ratio",
    "shrink",
    "simultaneous_z",
    "smallest_distance",
    "smallest_gap",
    "spent_alpha",
    "subgroup_gap",
    "tabulate",
    "tukey_z",
    "value",
    "wasserstein",
    "weighted_auc",
    "weighted_average_precision",
    "weighted_balanced_accuracy",
    "weighted_calibration_slope",
    "weighted_f1",
    "weighted_mean",
    "weighted_r_squared",
    "weighted_rate",
    "weighted_root_mean",
    "within_margin",
    "worst",
    "write_ledger",
    "wrong_label_bounds",
]
