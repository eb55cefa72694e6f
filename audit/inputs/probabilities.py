"""Scores that are probabilities, beside the truth: what calibration and log loss need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.errors import Unavailable
from audit.inputs.scores import Scores

REQUIRES = {"tasks": ("binary",), "roles": ("target",)}


@dataclass(frozen=True, kw_only=True)
class Probabilities(Scores):
    """Scores within 0..1."""


def probabilities(scores: Scores) -> Probabilities:
    if not scores.is_probability:
        raise Unavailable(
            "not_applicable",
            f"scores from {scores.score.min():.4g} to {scores.score.max():.4g} are no probabilities",
            "give a column of probabilities as score to measure calibration",
        )
    return Probabilities(
        rows=scores.rows, label=scores.label, score=np.clip(scores.score, 0.0, 1.0), is_probability=True
    )
