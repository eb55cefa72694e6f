"""Rows of a table, explained by the best method that the model's capabilities allow.

Trees and linear models are explained exactly, from their own arrays; a differentiable module whose columns can be told
apart by expected gradients; everything else that gives a probability or a value by Shapley values of the black box. A
method that cannot be used, or whose sums do not add up, gives way to these, and the explanation says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from audit.data import Columns, Dataset
from audit.errors import Unavailable, UsageError, nearest
from audit.models import Differentiable, LinearModel, Model, TreeEnsemble
from audit.results import Scalar
from audit.stats import generator

from .closed_form import BACKGROUND_ROWS as EXACT_BACKGROUND_ROWS
from .closed_form import closed_form
from .explanation import RED, Explanation, completeness_error, typical_change
from .hybrids import Hybrids
from .players import Players
from .scalar import explained_scalar, scales_with_company
from .shapley import Estimate, Plan, until_accurate

Method = Literal["auto", "exact", "shapley", "expected_gradients"]
METHODS = ("auto", "exact", "shapley", "expected_gradients")
BACKGROUND_ROWS = 100  # of a black box, which is evaluated for each of them
ALONE_EVALUATIONS = 500  # where every row is a call of its own
EVALUATIONS = 5000  # model calls a row: about 3 % error at 15 columns


def explain_table(
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
    seed: int,
) -> Explanation:
    """Attributions of these rows of ``data`` (all by default) over a seeded sample of the background rows.

    Features that the roles of ``data`` group are one player each, by every method.

    ``background`` defaults to ``data`` itself; give the training data where there is some. ``background_rows`` defaults
    to 1,000 where the model's own arrays are read and to 100 where it is evaluated. ``evaluations`` bounds the model
    calls a row of Shapley values. ``positive`` is the class that a binary model's log-odds are about (default: as the
    data says, else the last one), ``target`` the class that every row of a multiclass model is explained by (default:
    the one that was predicted). Unavailable says why a model or a table cannot be explained and what to do.
    """
    if method not in METHODS:
        raise UsageError(f'method must be one of {", ".join(METHODS)}, got "{method}"{nearest(method, METHODS)}')
    source = background or data
    chosen = data if rows is None else data.take(rows)
    _require_rows(chosen, source)
    order = generator(seed, "attribution.background").permutation(source.n)
    about = chosen.roles.positive if positive is None else positive
    players = Players.in_data(data)
    task = _Task(model, about, chosen.features, players, source, order, background_rows, evaluations, seed, target)
    if isinstance(model, TreeEnsemble | LinearModel) and method in {"auto", "exact"}:
        return task.exact(model) if method == "exact" else task.exact_or_shapley(model)
    if method == "exact":
        raise Unavailable("not_applicable", f"{model.name} is no tree or linear model", 'use method = "shapley"')
    if method == "shapley" or (method == "auto" and not isinstance(model, Differentiable)):
        return task.shapley()
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients", 'use method = "shapley"')
    return task.expected_gradients(model) if method == "expected_gradients" else task.gradients_or_shapley(model)


class _Task:
    """The rows to explain and the rows to explain them against."""

    def __init__(
        self,
        model: Model,
        positive: Scalar | None,
        foreground: Columns,
        players: Players,
        source: Dataset,
        order: NDArray[np.int64],
        background_rows: int | None,
        evaluations: int,
        seed: int,
        target: str,
    ) -> None:
        self.target = target
        self.model, self.positive, self.source, self.seed = model, positive, source.name, seed
        self.foreground, self.players, self.evaluations = foreground, players, evaluations
        self._table, self._order, self._background_rows = source, order, background_rows

    def background(self, usual: int) -> Columns:
        return self._table.take(self._order[: self._background_rows or usual]).features

    def exact(self, model: TreeEnsemble | LinearModel) -> Explanation:
        background = self.background(EXACT_BACKGROUND_ROWS)
        result = closed_form(model, self.foreground, background, self.positive, self.seed, self.target, self.players)
        n = len(result.output)
        return Explanation(
            names=self.players.names,
            groups=self.players.groups,
            values=result.values,
            standard_errors=np.zeros(result.values.shape),
            base=result.base,
            output=result.output,
            completeness=completeness_error(result.values.sum(axis=1), result.output - result.base, result.typical),
            targets=result.targets,
            scalar=result.words,
            unit=result.unit,
            method=result.method,
            value_function=self.interventional(result.background),
            background_n=result.background,
            evaluations=n + result.background,
            seed=self.seed,
            halves=result.halves,
        )

    def exact_or_shapley(self, model: TreeEnsemble | LinearModel) -> Explanation:
        try:
            return self.exact(model)
        except Unavailable as error:
            if error.reason != "not_applicable":
                raise
            return replace(self.shapley(), note=f"Explained as a black box: {error.detail}.")

    def shapley(self) -> Explanation:
        explained = explained_scalar(self.model, self.positive, self.target)
        game = Hybrids(explained, self.foreground, self.background(BACKGROUND_ROWS), self.players)
        evaluations = min(self.evaluations, ALONE_EVALUATIONS) if explained.alone else self.evaluations
        plan = Plan.within(evaluations, columns=len(game.names), background=game.m)
        if plan.first_look(len(game.names)):  # which costs a third more, paid from the same evaluations
            plan = Plan.within(evaluations * 3 // 4, columns=len(game.names), background=game.m)
        estimate = until_accurate(game, plan, generator(self.seed, "attribution.shapley"))
        row = np.arange(game.n)
        output = game.outputs[row, game.targets]
        usual = game.outputs[game.n : game.n + plan.background][:, game.targets]
        base = usual.mean(axis=0)
        return Explanation(
            names=game.names,
            groups=self.players.groups,
            values=estimate.values,
            standard_errors=estimate.standard_errors,
            base=base,
            output=output,
            completeness=completeness_error(estimate.values.sum(axis=1), output - base, typical_change(usual)),
            targets=tuple(game.explained.classes[t] for t in game.targets),
            scalar=game.explained.words,
            unit=game.explained.unit,
            method=_shapley_words(estimate),
            value_function=self.interventional(plan.background),
            background_n=plan.background,
            evaluations=game.evaluations,
            seed=self.seed,
            halves=estimate.halves,
        )

    def expected_gradients(self, model: Differentiable) -> Explanation:
        from .tabular_gradients import expected_gradients  # torch is needed only for a torch model

        background = self.background(BACKGROUND_ROWS)
        result = expected_gradients(model, self.foreground, background, self.positive, self.target, self.players)
        n = len(next(iter(background.values())))
        return Explanation(
            names=self.players.names,
            groups=self.players.groups,
            values=result.values,
            standard_errors=result.moved,
            base=result.base,
            output=result.output,
            completeness=completeness_error(result.values.sum(axis=1), result.output - result.base, result.typical),
            targets=result.targets,
            scalar=result.words,
            unit=result.unit,
            method="Expected gradients: integrated gradients from every background row, averaged "
            "(Gauss-Legendre quadrature, nodes doubled until a row adds up)",
            value_function=f"straight paths in the model's input space from {n} rows of {self.source}",
            background_n=n,
            evaluations=result.evaluations,
            seed=self.seed,
        )

    def interventional(self, background: int) -> str:
        together = " (those of a group together)" if self.players.groups else ""
        return f"interventional: absent columns{together} take the values of {background} rows of {self.source}"

    def gradients_or_shapley(self, model: Differentiable) -> Explanation:
        if scales_with_company(model):
            why = "its int8 scales are those of all rows of a call, so each row is asked alone"
            return replace(self.shapley(), note=f"Shapley values, because the module is dynamically quantised: {why}.")
        try:
            explanation = self.expected_gradients(model)
            median = float(np.median(explanation.completeness))
            if median <= RED:
                return explanation
            why = f"their sums are off by {median:.0%} (median)"
        except Unavailable as error:
            if error.reason != "not_applicable":
                raise
            why = str(error)
        return replace(self.shapley(), note=f"Shapley values, because gradients cannot be used here: {why}.")


def _require_rows(data: Dataset, background: Dataset) -> None:
    for table in (data, background):
        if not table.n:
            raise Unavailable("insufficient_data", f"{table.name} has no rows to explain", "give at least one row")
    if not data.roles.features:
        raise Unavailable("missing_input", "no feature columns are known", "name them under features in [data.test]")


def _shapley_words(estimate: Estimate) -> str:
    if estimate.exact:
        return "exact Shapley values (all coalitions of the columns in which two rows differ)"
    return f"Shapley values by {estimate.plan.words}"
