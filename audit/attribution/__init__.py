"""Why a model answered as it did: one method a file, the same numbers back, and the error of each measured."""

from audit.attribution.tables import explain_table as explain
from audit.attribution.explanation import AMBER, RED, Explanation, completeness_error

__all__ = ["AMBER", "RED", "Explanation", "completeness_error", "explain"]
