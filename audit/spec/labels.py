"""Whether audit.toml says of every label of a multilabel task what it says of one, and in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.spec.model import AuditSpec, DataSpec, ModelSpec


def label_fault(spec: AuditSpec) -> str:
    """What is wrong with labels; empty where all fits, or where there are none."""
    labels, said = spec.labels, spec.said_task
    if labels and said not in (None, "multilabel"):
        return f'task = "{said}" is of one target, and target names {len(labels)}: name one column'
    if said == "multilabel" and not labels:
        return 'task = "multilabel" needs target as a list, one 0/1 column a label: ["cat", "dog"]'
    for name in ("test", "train", "known"):
        part: DataSpec | None = getattr(spec.data, name)
        if part is not None and (fault := _of_data(part) if name == "test" or part.target else ""):
            return f"data.{name}: {fault}"
        if part is not None and part.target is not None and len(part.labels) != len(labels):
            return f"data.{name}.target must name as many columns as data.test.target, in its order"
    return _of_model(spec.model, labels) if spec.model is not None else ""


def _of_data(part: DataSpec) -> str:
    named = {"prediction": part.prediction, "threshold": part.threshold}
    lists = {key: value for key, value in named.items() if isinstance(value, tuple)}
    if not part.labels:
        return next((f"{key} is a list, one a label: give target as a list of columns too" for key in lists), "")
    if part.score is not None:
        return f"score is one column and target names {len(part.labels)} labels: give scores, one column a label"
    if isinstance(part.prediction, str):
        return f"prediction is one column and target names {len(part.labels)} labels: give a list, one a label"
    lists |= {"scores": part.scores} if part.scores else {}
    wrong = next((key for key, value in lists.items() if len(value) != len(part.labels)), "")
    return f"{wrong} has {len(lists[wrong])} entries for {len(part.labels)} labels: one a label" if wrong else ""


def _of_model(model: ModelSpec, labels: tuple[str, ...]) -> str:
    if isinstance(model.threshold, tuple) and len(model.threshold) != len(labels):
        return f"model.threshold has {len(model.threshold)} entries for {len(labels) or 1} labels"
    if labels and model.output == "value":
        return 'model.output = "value" is a quantity: several labels take "logit" or "probability"'
    if labels and model.classes and set(map(str, model.classes)) != set(labels):
        return f"model.classes must be the columns of target, {', '.join(labels)}, in the model's order"
    return ""
