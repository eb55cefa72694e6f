"""The exception tree: what can go wrong, and who answers for it.

    AuditError                     one line for the user, exit code 2
    ├── UsageError                 the command line was called wrongly
    ├── SpecError                  audit.toml does not say what it must
    ├── DataError                  a table, a column or a value does not fit
    ├── ModelError                 a model cannot be used as it stands
    │   └── UnsafeModelError       loading it would run code
    ├── StoreError                 a run folder cannot be read or written
    └── CheckError                 a check breaks its contract (a defect of the check)
    Unavailable                    an input cannot be had: becomes an Omission, never an exit

Every message says what is wrong, what was found, what is allowed and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AuditError(Exception):
    """Something the user can mend; the command line prints it in one line and exits 2."""


class UsageError(AuditError):
    """The command line was called wrongly."""


class SpecError(AuditError):
    """audit.toml, a policy or a pack does not say what it must."""


class DataError(AuditError):
    """A table, a column or a value does not fit."""


class ModelError(AuditError):
    """A model cannot be used as it stands."""


class UnsafeModelError(ModelError):
    """Loading the model would run code that came with the file."""


class StoreError(AuditError):
    """A run folder cannot be read or written."""


class CheckError(AuditError):
    """A check breaks its contract."""


class Unavailable(Exception):  # noqa: N818  # a state of an input, not a failure
    """An input or a measure cannot be had for this case.

    ``reason`` is the value of a :class:`audit.results.Reason`; the engine turns this into an Omission.
    """

    def __init__(self, reason: str, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.remedy = reason, detail, remedy


def nearest(name: str, allowed: Iterable[str]) -> str:
    """``' (did you mean "x"?)'`` for the closest allowed name, or an empty string."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""
