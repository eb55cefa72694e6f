"""Models under review, behind the small capabilities they have."""

from audit.models.base import (
    Differentiable,
    Embedder,
    LinearModel,
    Model,
    MultilabelClassifier,
    MultilabelDecider,
    Output,
    Predictor,
    ProbabilisticClassifier,
    Regressor,
    TreeEnsemble,
)

__all__ = [
    "Differentiable",
    "Embedder",
    "LinearModel",
    "Model",
    "MultilabelClassifier",
    "MultilabelDecider",
    "Output",
    "Predictor",
    "ProbabilisticClassifier",
    "Regressor",
    "TreeEnsemble",
]
