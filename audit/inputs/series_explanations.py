"""Attribution maps of a few series or sounds."""

from __future__ import annotations

from audit.attribution.maps import MapExplanation
from audit.attribution.series import SeriesExplanation
from audit.inputs.explained_maps import ExplainedMaps

REQUIRES = {"model": True, "kinds": ("series", "audio"), "tasks": ("binary", "multiclass", "regression", "ranking")}


def series_explanations(explained_maps: ExplainedMaps[MapExplanation]) -> ExplainedMaps[SeriesExplanation]:
    """The shared maps, where they are of series."""
    return explained_maps.narrowed(SeriesExplanation, "series")
