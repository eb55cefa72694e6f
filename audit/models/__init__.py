"""Models under review, behind the small capabilities they have."""

from audit.models.base import (
    Differentiable,
    LinearModel,
    Model,
    Output,
    Predictor,
    ProbabilisticClassifier,
    Regressor,
    TreeEnsemble,
)

__all__ = [
    "Differentiable",
    "LinearModel",
    "Model",
    "Output",
    "Predictor",
    "ProbabilisticClassifier",
    "Regressor",
    "TreeEnsemble",
]
