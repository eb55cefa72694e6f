"""What a model's own code may raise or return that does not fit, as one kind of error that says what to do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models.portions import out_of_memory

# What code of others raises when its input does not fit; errors of ours and interrupts pass.
RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_SPEAK_FOR_THEMSELVES = (MemoryError, RuntimeError, TypeError, ValueError)


def refused(name: str, error: BaseException, remedy: str = "") -> ModelError:
    """The error of a model that raised ``error``. MemoryError, so that rows are halved, where it was one."""
    if out_of_memory(error):
        raise MemoryError(str(error)) from error
    return ModelError(f"{name} refused the data: {in_words(error)}{remedy and f': {remedy}'}")


def in_words(error: BaseException) -> str:
    """The first line of an error, after its kind where that is half of what it says: KeyError: 'income'."""
    first = (str(error).splitlines() or [""])[0]
    plain = isinstance(error, _SPEAK_FOR_THEMSELVES) and not isinstance(error, NotImplementedError | UnicodeError)
    return first if plain and first else f"{type(error).__name__}{first and f': {first}'}"


def one_value(found: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """``found`` (n,) or (n, 1) as (n,). ModelError where a row has several values."""
    if found.ndim > 1 and found.shape[1] != 1:
        raise ModelError(
            f"{name} returns {found.shape[1]} values a row, and one is audited: give a model of one target, "
            "or a function that returns the one in question"
        )
    return found.reshape(-1)
