"""Models under review, behind the small capabilities they have."""

from audit.models.base import Differentiable, Model, Output, Predictor, ProbabilisticClassifier, Regressor

__all__ = ["Differentiable", "Model", "Output", "Predictor", "ProbabilisticClassifier", "Regressor"]
