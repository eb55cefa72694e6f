"""Attribution maps of a few texts."""

from __future__ import annotations

from audit.attribution.maps import MapExplanation
from audit.attribution.text import TextExplanation
from audit.inputs.explained_maps import ExplainedMaps

REQUIRES = {"model": True, "kinds": ("text",), "tasks": ("binary", "multiclass", "regression", "ranking")}


def text_explanations(explained_maps: ExplainedMaps[MapExplanation]) -> ExplainedMaps[TextExplanation]:
    """The shared maps, where they are of texts."""
    return explained_maps.narrowed(TextExplanation, "text")
