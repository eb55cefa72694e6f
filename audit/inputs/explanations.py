"""One shared set of attributions of a table: a seeded sample for the whole, and a few rows one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.attribution import Explanation
from audit.attribution.closed_form import affordable_background
from audit.attribution.indicators import indicator_sets
from audit.attribution.players import Players, sensitive_apart, sensitive_players
from audit.attribution.shapley import Plan
from audit.attribution.tables import BACKGROUND_ROWS, EVALUATIONS, explain_table
from audit.case import Case
from audit.data import Dataset
from audit.data.dataset import shown
from audit.data.task import QUANTITIES
from audit.errors import Unavailable
from audit.inputs.predictions import Predictions, relevant_class
from audit.models import LinearModel, Model, TreeEnsemble
from audit.stats import generator

REQUIRES = {
    "model": True,
    "kinds": ("number", "category", "text"),
    "tasks": ("binary", "multiclass", "regression", "ranking"),
}

TABLE_KINDS = ("number", "category", "text")
ROWS = 200
EXACT_ROWS = 2000  # where a closed form explains them
ENOUGH_BACKGROUND = 500  # rows that deep trees must be able to afford before so many rows are explained
FEWEST_ROWS = 30
LOCAL_ROWS = 4
SHOWN_MEMBERS = 3  # values of a group that are written out
LOCAL_EVALUATIONS = 60_000  # model calls a row where single rows are shown: about 1 % error at 15 columns

Choice = tuple[str, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class LocalRow:
    """A row that is explained by itself: its place in the data, why it was chosen, and its values as a person reads."""

    row: int
    why: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """``overall`` explains a seeded sample; ``local`` the rows of ``chosen``, more exactly.

    ``sensitive`` names the sensitive columns that the model is given as features; ``rows`` (n,) the places in the data
    of the rows of ``overall``. ``apart`` explains them once more with every sensitive column by itself, where the
    user's groups hold one together with others.
    """

    overall: Explanation
    local: Explanation
    chosen: tuple[LocalRow, ...]
    sensitive: tuple[str, ...]
    rows: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    apart: Explanation | None = None

    @property
    def compared(self) -> Explanation:
        """The explanation by which groups of rows are compared: in it, what is sensitive stands by itself."""
        return self.apart or self.overall


def explanations(case: Case, model: Model, data: Dataset, predictions: Predictions, seed: int) -> Explanations:
    """Attributions over a background from the training data, or from ``data`` where there is none."""
    if not any(data.column(name).kind in TABLE_KINDS for name in data.roles.features):
        raise Unavailable("not_applicable", "the model takes no table columns", "see the attribution maps")
    background = case.datasets.get("train")
    usable = np.flatnonzero(_usable(predictions, data.n))
    if not len(usable):
        raise Unavailable("undefined", "no row has a usable prediction", "find out why the model returns NaN")
    order = generator(seed, "explanations.rows").permutation(usable)
    threshold = case.threshold
    chosen = tuple(local_rows(predictions, usable, 0.5 if threshold is None else threshold))
    positive = case.positive or relevant_class(case, data, model)
    overall, sample = explained_sample(model, data, order, background, positive, seed)
    split = sensitive_apart(data)
    same = split.roles == data.roles
    return Explanations(
        overall=overall,
        local=explain_table(
            model,
            data,
            rows=np.array([row for row, _ in chosen]),
            background=background,
            evaluations=LOCAL_EVALUATIONS,
            positive=positive,
            seed=seed,
        ),
        chosen=tuple(_local(data, row, why) for row, why in chosen),
        sensitive=sensitive_players(data),
        rows=sample,
        apart=None
        if same
        else explain_table(model, split, rows=sample, background=background, positive=positive, seed=seed),
    )


def explained_sample(
    model: Model, data: Dataset, order: NDArray[np.intp], background: Dataset | None, positive: str | None, seed: int
) -> tuple[Explanation, NDArray[np.intp]]:
    """The first rows of ``order`` and where they stand: thousands by a closed form, else hundreds."""
    players = len(Players.in_data(data).names)
    if _affords_many(model, players):
        many = np.sort(order[:EXACT_ROWS])
        try:
            found = explain_table(
                model, data, rows=many, background=background, positive=positive, method="exact", seed=seed
            )
        except Unavailable as why:
            if why.reason != "not_applicable":
                raise
        else:
            return found, many
    rows = np.sort(order[: affordable_rows(players)])
    return explain_table(model, data, rows=rows, background=background, positive=positive, seed=seed), rows


def _affords_many(model: Model, players: int) -> bool:
    """Whether thousands of rows are explained in a second: a linear model, or trees that are not deep."""
    if not isinstance(model, TreeEnsemble):
        return isinstance(model, LinearModel)
    try:
        return affordable_background(model.forest(), EXACT_ROWS, players) >= ENOUGH_BACKGROUND
    except Unavailable:
        return False


def affordable_rows(columns: int) -> int:
    """A very wide table is explained by fewer rows: every order of its columns is as long as the table is wide."""
    plan = Plan.within(EVALUATIONS, columns=columns, background=BACKGROUND_ROWS)
    return int(np.clip(ROWS * EVALUATIONS // plan.most_evaluations(columns), FEWEST_ROWS, ROWS))


def local_rows(predictions: Predictions, usable: NDArray[np.intp], threshold: float) -> Iterator[tuple[int, str]]:
    """Up to four different rows: the model at its surest, right and wrong, and where it can hardly decide."""
    taken: set[int] = set()
    quantity = predictions.task in QUANTITIES
    choices = _regression_choices(predictions) if quantity else _choices(predictions, threshold)
    for why, merit in choices:
        eligible = [row for row in usable.tolist() if row not in taken and np.isfinite(merit[row])]
        if eligible and len(taken) < LOCAL_ROWS:
            best = max(eligible, key=lambda row: merit[row])  # called at once
            taken.add(best)
            yield best, why


def _usable(predictions: Predictions, n: int) -> NDArray[np.bool_]:
    if predictions.task == "ranking" and predictions.score is not None:
        return np.asarray(np.isfinite(predictions.score))
    decided = predictions.decided
    return np.ones(n, dtype=bool) if decided is None else decided


def _choices(predictions: Predictions, threshold: float) -> Iterator[Choice]:
    sure = _certainty(predictions, threshold)
    decision, label = predictions.decision, predictions.label
    if decision is not None and label is not None:
        wrong, right = (label >= 0) & (decision != label), (label >= 0) & (decision == label)
        yield "the surest wrong prediction", np.where(wrong, sure, np.nan)
        yield "the surest right prediction", np.where(right, sure, np.nan)
    yield "the closest decision", -sure
    if decision is not None and predictions.task == "binary":
        yield "the surest negative prediction", np.where(decision != predictions.positive, sure, np.nan)
        yield "the surest positive prediction", np.where(decision == predictions.positive, sure, np.nan)
    yield "a sure prediction", sure


def _certainty(predictions: Predictions, threshold: float) -> NDArray[np.float64]:
    """Distance of the score from the threshold; for several classes the lead of the first over the second."""
    if predictions.score is not None:
        return np.abs(predictions.score - threshold)
    if predictions.probability is None:
        raise Unavailable("not_applicable", "the model gives labels only", "give a model with predict_proba")
    ordered = np.sort(predictions.probability, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def _regression_choices(predictions: Predictions) -> Iterator[Choice]:
    value = predictions.score if predictions.task == "ranking" else predictions.decision
    if value is None:
        return
    if predictions.label is not None and predictions.task == "regression":
        residual = predictions.label - value
        yield "the largest prediction too high", np.where(residual < 0, -residual, np.nan)
        yield "the largest prediction too low", np.where(residual > 0, residual, np.nan)
    yield "the highest prediction", value
    yield "the lowest prediction", -value
    yield "the prediction closest to the median", -np.abs(value - np.nanmedian(value))


def _local(data: Dataset, row: int, why: str) -> LocalRow:
    one, players = data.take([row]), Players.in_data(data)
    return LocalRow(row=row, why=why, values=tuple(_shown(one, players.members(name), data) for name in players.names))


def _shown(one: Dataset, columns: tuple[str, ...], data: Dataset) -> str:
    """The value of a column, or those of a group: of one-hot columns the one that is 1."""
    if len(columns) == 1:
        return _cell(one, columns[0])
    sets = list(indicator_sets(columns, [data]))
    hot = [next((name for name in levels if one.values(name)[0]), f"none of {len(levels)}") for levels in sets]
    rest = [name for name in columns if not any(name in levels for levels in sets)]
    return listed([*hot, *(_cell(one, name) for name in rest)])


def listed(cells: Sequence[str]) -> str:
    """The values of a group's columns, the first three of them."""
    more = len(cells) - SHOWN_MEMBERS
    return ", ".join(cells[:SHOWN_MEMBERS]) + (f" and {more} more" if more > 0 else "")


def _cell(one: Dataset, name: str) -> str:
    column = one.column(name)
    if column.kind not in TABLE_KINDS:
        return column.kind
    value = one.values(name)[0]
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "missing"
    word = shown(float(f"{value:.4g}")) if isinstance(value, float | np.floating) else shown(value)
    return column.labels.get(shown(value), word)
