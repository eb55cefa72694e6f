"""Tables with typed columns, one row an example, and the roles that columns play."""

from audit.data.dataset import Codes, Column, ColumnKind, Columns, Dataset, Roles

__all__ = ["Codes", "Column", "ColumnKind", "Columns", "Dataset", "Roles"]
