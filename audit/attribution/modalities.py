"""Which maps a model can be given, by what it reads: one call for pictures, text, series and sound."""

from __future__ import annotations

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model

from .maps import MapExplanation
from .scalar import explained_scalar
from .trust_grades import Rules

MAPPED = ("image", "text", "series", "audio")


def modality(model: Model, data: Dataset) -> str:
    """The kind of the one feature that is mapped, or "several". Unavailable for tables without any, and for a model
    that gives labels only."""
    features = data.roles.features
    kinds = {data.column(name).kind for name in features}
    if not kinds & set(MAPPED):
        raise Unavailable(
            "not_applicable",
            f"attribution maps need a model that reads {' or '.join(MAPPED)}",
            'declare it under [columns], such as kind = "image"',
        )
    if not isinstance(model, Differentiable):
        explained_scalar(model, None)
        if len(features) > 1:
            remedy = "see the columns' own contributions, and the share of each kind of input"
            raise Unavailable("not_applicable", f"{model.name} reads several inputs and has no gradients", remedy)
    return kinds.pop() if len(features) == 1 else "several"


def explain_maps(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> MapExplanation:
    """Maps for every row of ``data`` (a few: take them first), for the class that the model predicts.

    By gradients where the model has them, else by covering and asking again; the explanation says which and why.
    ``background`` defaults to ``data``. With ``rules`` the trust checks are run on every map and graded by them.
    """
    kind = modality(model, data)
    why = f"Covered and asked again, because {model.name} has no gradients."
    if isinstance(model, Differentiable):
        try:
            return _by_gradients(model, kind, data, background, rules, seed)
        except Unavailable as error:
            if error.reason != "not_applicable" or kind == "several":
                raise
            why = f"Covered and asked again, because gradients cannot be used here: {error}."
    from .black_box import explain_units

    return explain_units(model, data, background=background, rules=rules, note=why, seed=seed)


def _by_gradients(
    model: Model, kind: str, data: Dataset, background: Dataset | None, rules: Rules | None, seed: int
) -> MapExplanation:
    # each is imported when asked for: pictures need SciPy's filters and Captum, the others do not
    match kind:
        case "text":
            from .text import explain_text

            return explain_text(model, data, background=background, rules=rules, seed=seed)
        case "series" | "audio":
            from .series import explain_series

            return explain_series(model, data, background=background, rules=rules, seed=seed)
        case "several":
            from .several import explain_several

            return explain_several(model, data, background=background, rules=rules, seed=seed)
    from .images import explain_images

    return explain_images(model, data, background=background, rules=rules, seed=seed)
