"""One label of a multilabel task as a binary task: what is measured of two classes is measured of each label."""

from __future__ import annotations

from dataclasses import replace

from audit.case import Case, Question
from audit.data import Dataset
from audit.data.task import MOST_CLASSES, decide_positive, label_pair, target_facts
from audit.errors import DataError
from audit.models.loading import LoadedModel
from audit.models.multilabel import one_label


def label_data(data: Dataset, at: int) -> Dataset:
    """The same rows with the roles of the label at this place."""
    return replace(data, roles=data.roles.of_label(at))


def label_question(test: Dataset, at: int) -> Question:
    """What a model decides of this label. DataError for a column that does not say whether the label holds."""
    column, roles = test.roles.targets[at], test.roles
    levels = target_facts(test.stored(column)).levels
    if levels is None:
        raise DataError(f'target "{column}" has over {MOST_CLASSES} values, and a label has two: give 0 and 1')
    pair = label_pair(levels, roles.positive, column)
    wanted = roles.favourable
    favourable = pair[1] if wanted is None else decide_positive(wanted, pair, column, "favourable")
    return Question(task="binary", classes=pair, positive=pair[1], favourable=favourable)


def label_case(case: Case, at: int) -> Case:
    """The case of the label at this place: its own target, score, decision, threshold, and output of the model."""
    question = label_question(case.datasets["test"], at)
    pair = (question.classes[0], question.classes[1])
    threshold = case.threshold_of(at)

    def cut(loaded: LoadedModel) -> LoadedModel:
        place = loaded.model.classes.index(case.classes[at])
        return replace(loaded, model=one_label(loaded.model, place, pair, threshold))

    model = case.spec.model
    said = None if model is None else model.model_copy(update={"threshold": threshold, "task": "binary"})
    return replace(
        case,
        spec=case.spec.model_copy(update={"model": said}),
        loaded=None if case.loaded is None else cut(case.loaded),
        datasets={name: label_data(data, at) for name, data in case.datasets.items()},
        variants={name: cut(variant) for name, variant in case.variants.items()},
        baseline=None if case.baseline is None else cut(case.baseline),
        task=question.task,
        classes=question.classes,
        positive=question.positive,
        favourable=question.favourable,
    )
