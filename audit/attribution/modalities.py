"""Which maps a model can be given, by what it reads: one call for pictures, text, series and sound."""

from __future__ import annotations

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model

from .maps import MapExplanation
from .trust_grades import Rules

MAPPED = ("image", "text", "series", "audio")


def modality(model: Model, data: Dataset) -> str:
    """The kind of the one feature that is mapped. Unavailable for a black box and for any other table."""
    features = data.roles.features
    kinds = {data.column(name).kind for name in features}
    if len(features) != 1 or not kinds & set(MAPPED):
        raise Unavailable(
            "not_applicable",
            f"attribution maps need a model whose one feature is {' or '.join(MAPPED)}",
            'declare it under [columns], such as kind = "image"',
        )
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients to map", "give the torch module itself")
    return kinds.pop()


def explain_maps(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> MapExplanation:
    """Maps for every row of ``data`` (a few: take them first), for the class that the model predicts.

    ``background`` defaults to ``data``. With ``rules`` the trust checks are run on every map and graded by them.
    """
    # each is imported when asked for: pictures need SciPy's filters and Captum, the others do not
    match modality(model, data):
        case "text":
            from .text import explain_text

            return explain_text(model, data, background=background, rules=rules, seed=seed)
        case "series" | "audio":
            from .series import explain_series

            return explain_series(model, data, background=background, rules=rules, seed=seed)
    from .images import explain_images

    return explain_images(model, data, background=background, rules=rules, seed=seed)
