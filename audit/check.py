"""@check: a plain function that asks for its inputs by name and type and returns an Outcome."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Literal, TypeVar

from audit.errors import CheckError

Cost = Literal["instant", "predict", "gradient", "timing", "replay", "retrain"]
COSTS: tuple[Cost, ...] = ("instant", "predict", "gradient", "timing", "replay", "retrain")
"""``timing`` and ``replay`` measure this machine and differ from run to run: done only when asked for (a replay of the
training with ``--cost retrain``), and no part of the identity of a run."""
F = TypeVar("F", bound=Callable[..., object])


def check(*, cost: Cost) -> Callable[[F], F]:
    """Mark a function as the check of its module; it is validated and returned unchanged.

    Every parameter needs a type, every parameter but ``params`` is an input of ``audit/inputs``, and the return
    annotation is ``Outcome``. The module carries ``MEASURES``, a literal, and its docstring is the documentation.
    It may carry ``REQUIRES``, a literal as that of an input: ``{"tasks": ("binary",)}`` where no input of it says so.
    A check whose tasks include binary and not multilabel is asked of each label of a multilabel task by itself.
    """
    if cost not in COSTS:
        raise CheckError(f'cost must be one of {", ".join(COSTS)}, got "{cost}"')

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        for name, parameter in signature.parameters.items():
            if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD or parameter.annotation is parameter.empty:
                raise CheckError(f"{function.__module__}.{function.__name__}: give parameter {name} a plain type")
        if getattr(signature.return_annotation, "__name__", signature.return_annotation) != "Outcome":
            raise CheckError(f"{function.__module__}.{function.__name__}: a check returns Outcome")
        return function

    return decorate
