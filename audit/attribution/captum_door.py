"""The one door to Captum.

Its plotting parts make matplotlib write a list of fonts into the home folder when they are imported, and nothing is
drawn here: an audit writes nowhere but into its run folder. So they are imported while matplotlib's folder is a
temporary one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

FOLDER = "MPLCONFIGDIR"


@contextmanager
def home_left_alone() -> Iterator[None]:
    """matplotlib's folder is a temporary one, and the environment as it was afterwards."""
    before = os.environ.get(FOLDER)
    with TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[FOLDER]
            else:
                os.environ[FOLDER] = before


with home_left_alone():
    from captum.attr import (
        LayerActivation,
        LayerAttribution,
        LayerConductance,
        LayerGradCam,
        LayerGradientXActivation,
        LayerIntegratedGradients,
        Occlusion,
    )
    from captum.concept import TCAV, Classifier, Concept
    from captum.influence import TracInCPFast

__all__ = [
    "TCAV",
    "Classifier",
    "Concept",
    "LayerActivation",
    "LayerAttribution",
    "LayerConductance",
    "LayerGradCam",
    "LayerGradientXActivation",
    "LayerIntegratedGradients",
    "Occlusion",
    "TracInCPFast",
]
