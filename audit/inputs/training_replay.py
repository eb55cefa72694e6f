"""A part of the training run again: steps of the user's recipe, or a fit of a cloned scikit-learn model."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from audit.case import Case
from audit.data import Dataset
from audit.energy.estimate import EnergyEstimate
from audit.energy.replay import Replay, replay_steps, replayed
from audit.errors import Unavailable
from audit.inputs.training_evidence import training_evidence
from audit.models.loading import factory

__all__ = ["REQUIRES", "TrainingReplay", "training_replay"]

REQUIRES = {"model": True, "train": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReplay:
    """What ran again, its energy scaled up, and the other evidence that it can be held against."""

    replay: Replay
    estimates: tuple[EnergyEstimate, ...]
    others: tuple[EnergyEstimate, ...]


def _steps(case: Case, train: Dataset) -> float | None:
    """Steps of one training: rows seen over rows of a step; None where it is not told."""
    training = case.spec.training
    if training.epochs is None or training.batch is None:
        return None
    return training.epochs * ceil((training.samples or train.n) / training.batch)


def _from_recipe(case: Case, train: Dataset, name: str) -> Replay:
    if not case.allow_code:
        raise Unavailable("withheld", f'recipe "{name}" is code, and code was not allowed', "run with --allow-code")
    recipe = factory(name, case.root, allow_code=True)
    columns = {**train.features, train.roles.target: train.values(train.roles.target)}
    return replay_steps(recipe, columns, name, total_steps=_steps(case, train), trials=case.spec.training.trials)


def _from_clone(case: Case, train: Dataset, seed: int) -> Replay:
    from audit.energy.refit import replay_fit  # scikit-learn is needed for its own models alone
    from audit.models.sklearn import frame

    estimator = getattr(case.model, "estimator", None)
    if estimator is None:
        raise Unavailable(
            "missing_input",
            "a network is trained by code of its own, and no recipe was given",
            'give [training] recipe = "train.py:fit", a generator that yields after each step, and --allow-code',
        )
    target = train.stored(train.roles.target).to_pandas()
    labelled = np.flatnonzero(target.notna().to_numpy())
    X = frame(train.take(labelled).features)
    table = X if case.model is not None and case.model.features is not None else X.to_numpy()
    return replay_fit(estimator, table, target.to_numpy()[labelled], seed=seed, trials=case.spec.training.trials)


def training_replay(case: Case, train: Dataset, seed: int) -> TrainingReplay:
    """Run a part of the training again. ModelError for a recipe that is no generator of steps."""
    if not train.roles.target:
        raise Unavailable("missing_input", "the training data have no target", "give target in [data.train]")
    name = case.spec.training.recipe
    replay = _from_recipe(case, train, name) if name else _from_clone(case, train, seed)
    try:
        others = training_evidence(case).estimates
    except Unavailable:
        others = ()
    return TrainingReplay(
        replay=replay, estimates=replayed(replay, rest_w=case.spec.training.rest_watts), others=others
    )
