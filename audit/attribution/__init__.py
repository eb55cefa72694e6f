"""Why a model answered as it did: one method a file, the same numbers back, and the error of each measured."""

from audit.attribution.explain import explain
from audit.attribution.explanation import AMBER, RED, Explained, Explanation, completeness_error
from audit.attribution.tables import explain_table

__all__ = ["AMBER", "RED", "Explained", "Explanation", "completeness_error", "explain", "explain_table"]
