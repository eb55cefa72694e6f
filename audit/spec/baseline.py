"""The model now in use, which this one is held against on the same rows: a file, or columns of what it said."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit.spec.fields import Names


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BaselineSpec(_Strict):
    """[model] baseline; what is left out is as in [model]."""

    path: str
    factory: str | None = None
    output: Literal["logit", "probability", "value"] | None = None
    trust: tuple[str, ...] | None = None
    threshold: float | None = Field(None, description="its own decision threshold; default: that of [model]")
    sha256: str | None = Field(None, description="refuse the file when its hash differs")


class BaselineColumns(_Strict):
    """[data.test] baseline: columns of the same table."""

    prediction: str | None = Field(None, description="column of its decisions")
    score: str | None = Field(None, description="column of its scores for the positive class")
    scores: Names | None = Field(None, description="one column of its probability a class")
    threshold: float | None = Field(None, description="a score at or above it counted as positive")

    @model_validator(mode="after")
    def _names_a_column(self) -> BaselineColumns:
        if not (self.prediction or self.score or self.scores):
            raise ValueError('needs prediction, score or scores: baseline = { prediction = "old_decision" }')
        if self.score and self.scores:
            raise ValueError("has both score and scores: keep score for two classes, scores for several")
        if self.threshold is not None and not self.score:
            raise ValueError("has a threshold and no score to hold against it: give score, or leave threshold out")
        return self
