"""Attribution maps of a few rows of a model that reads several kinds of input."""

from __future__ import annotations

from audit.attribution.maps import MapExplanation
from audit.attribution.several import SeveralExplanation
from audit.inputs.explained_maps import ExplainedMaps

REQUIRES = {
    "model": True,
    "kinds": ("image", "text", "series", "audio"),
    "tasks": ("binary", "multiclass", "regression", "ranking"),
}


def several_explanations(explained_maps: ExplainedMaps[MapExplanation]) -> ExplainedMaps[SeveralExplanation]:
    """The shared maps, where they are of several inputs together."""
    return explained_maps.narrowed(SeveralExplanation, "several kinds of input: one")
