"""Attribution maps of a few pictures."""

from __future__ import annotations

from audit.attribution.images import ImageExplanation
from audit.attribution.maps import MapExplanation
from audit.inputs.explained_maps import ExplainedMaps

REQUIRES = {"model": True, "kinds": ("image",), "tasks": ("binary", "multiclass", "regression", "ranking")}


def image_explanations(explained_maps: ExplainedMaps[MapExplanation]) -> ExplainedMaps[ImageExplanation]:
    """The shared maps, where they are of pictures."""
    return explained_maps.narrowed(ImageExplanation, "pictures")
