"""One call for every model and every modality: ``explain(model, data)``.

The method follows from what the model can do and what it reads: closed forms of trees and linear models; gradients of
torch modules along pictures, embeddings of text, series, sound, tables and several of them at once; Shapley values of
columns, patches, windows or words for everything that answers. A named layer is explained instead of the inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import Unavailable, UsageError, nearest
from audit.models import Differentiable, Model
from audit.results import Scalar

from .explanation import Explained
from .maps import adds_up
from .modalities import MAPPED, explain_maps
from .tables import EVALUATIONS, METHODS, Method, explain_table
from .trust_grades import Rules


def explain(
    model: Model,
    data: Dataset,
    *,
    rows: NDArray[Any] | None = None,
    background: Dataset | None = None,
    background_rows: int | None = None,
    evaluations: int = EVALUATIONS,
    method: Method = "auto",
    positive: Scalar | None = None,
    target: str = "",
    layer: str = "",
    rules: Rules | None = None,
    seed: int = 0,
) -> Explained:
    """Attributions of these rows of ``data`` (all by default), whatever the model reads.

    ``background`` (default: ``data``) is what a row is explained against. ``background_rows``, ``evaluations``,
    ``method``, ``positive`` and ``target`` are for tables (see :func:`explain_table`); ``method="shapley"`` asks any
    model as a black box. ``layer`` explains what a layer of a torch module holds (see :func:`explain_layer`). With
    ``rules`` the trust checks of maps are run and graded. Unavailable says why a model or its data cannot be explained.
    """
    if method not in METHODS:
        raise UsageError(f'method must be one of {", ".join(METHODS)}, got "{method}"{nearest(method, METHODS)}')
    with _lent(model):
        return _explained(
            model,
            data,
            rows=rows,
            background=background,
            background_rows=background_rows,
            evaluations=evaluations,
            method=method,
            positive=positive,
            target=target,
            layer=layer,
            rules=rules,
            seed=seed,
        )


@contextmanager
def _lent(model: Model) -> Iterator[None]:
    """The model is given back as it was, and the global random streams too, whatever it drew from them."""
    if isinstance(model, Differentiable):
        from .untouched import given_back

        with given_back(model.module):
            yield
        return
    from .streams import remember_random_streams

    put = remember_random_streams()
    try:
        yield
    finally:
        put()


def _explained(
    model: Model,
    data: Dataset,
    *,
    rows: NDArray[Any] | None,
    background: Dataset | None,
    background_rows: int | None,
    evaluations: int,
    method: Method,
    positive: Scalar | None,
    target: str,
    layer: str,
    rules: Rules | None,
    seed: int,
) -> Explained:
    chosen, source = data if rows is None else data.take(rows), background or data
    kinds = [data.column(name).kind for name in data.roles.features]
    if source.n == 1 and background is None and not set(kinds) <= {"image", "text"}:
        remedy = "give background, best the training data"
        raise Unavailable("insufficient_data", "one row cannot be explained against itself alone", remedy)
    if layer:
        from .layers import explain_layer

        return explain_layer(model, chosen, layer=layer, background=source, rules=rules, seed=seed)
    by_columns = partial(
        explain_table,
        model,
        data,
        rows=rows,
        background=background,
        background_rows=background_rows,
        evaluations=evaluations,
        positive=positive,
        target=target,
        seed=seed,
    )
    if not set(kinds) & set(MAPPED) or not chosen.n or method in {"exact", "expected_gradients"}:
        return by_columns(method=method)
    if method == "shapley" and len(kinds) == 1:
        from .black_box import explain_units

        return explain_units(model, chosen, background=source, rules=rules, evaluations=evaluations, seed=seed)
    if method == "shapley":
        return by_columns(method="shapley")
    try:
        return _maps(model, chosen, source, rules, seed)
    except Unavailable as error:
        if len(kinds) == 1 or error.reason != "not_applicable":
            raise
        return replace(by_columns(method="auto"), note=f"Contributions of whole columns, because {error}.")


def _maps(model: Model, data: Dataset, background: Dataset, rules: Rules | None, seed: int) -> Explained:
    """By gradients where they add up; a single input that they fail on is asked for as a black box."""
    found = explain_maps(model, data, background=background, rules=rules, seed=seed)
    if adds_up(found.completeness) or len(data.roles.features) > 1:
        return found
    from .black_box import explain_units

    off = float(np.median(found.completeness))
    why = f"Covered and asked again, because the sums of the gradients are off by {off:.0%} (median)."
    return explain_units(model, data, background=background, rules=rules, note=why, seed=seed)
