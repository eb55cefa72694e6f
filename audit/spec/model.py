"""audit.toml as types. Unknown keys are errors; every field says what it is, for the published schema."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from audit.results import Scalar
from audit.spec.baseline import BaselineColumns, BaselineSpec
from audit.spec.fields import Column, FeatureGroups, Names, Task, Threshold
from audit.spec.labels import label_fault


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VariantSpec(_Strict):
    """Another form of the model; what is left out is as in [model]."""

    path: str
    factory: str | None = None
    output: Literal["logit", "probability", "value"] | None = None
    trust: tuple[str, ...] | None = None


_ALONE: dict[str, object] = {"variants": {}, "baseline": None, "sha256": None}  # what no other model takes from [model]


class ModelSpec(_Strict):
    """[model]: leave the table out to audit a column of predictions or scores."""

    path: str = Field(description=".skops, .safetensors (with factory) or .onnx, relative to this file")
    factory: str | None = Field(None, description='"package.module:build", or "model.py:build" with --allow-code')
    trust: tuple[str, ...] = Field((), description="exact skops types beyond those Assay knows to be inert")
    classes: tuple[Scalar, ...] = Field((), description="name of each output, in order")
    output: Literal["logit", "probability", "value"] | None = Field(
        None, description="what a torch or ONNX model returns"
    )
    threshold: Threshold | None = Field(
        None, description="deployed decision threshold on the positive class's probability; a list: one a label"
    )
    task: Task | None = Field(None, description="inferred from the target when absent")
    sha256: str | None = Field(None, description="refuse the model when its file's hash differs")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    variants: dict[str, str | VariantSpec] = Field(
        default_factory=dict,
        description="other forms of the same model by name: a path, or a table; seed... names a second training",
    )
    baseline: str | BaselineSpec | None = Field(
        None, description="the model now in use, compared with this one row by row: a path, or a table"
    )

    def variant_models(self) -> dict[str, ModelSpec]:
        """Each variant as a [model] of its own: as this one, but for what its entry says."""
        entries = {name: VariantSpec(path=v) if isinstance(v, str) else v for name, v in self.variants.items()}
        return {
            name: self.model_copy(update={**_ALONE, **entry.model_dump(exclude_none=True)})
            for name, entry in entries.items()
        }

    @property
    def baseline_model(self) -> ModelSpec | None:
        """The baseline as a [model] of its own: as this one, but for what its entry says."""
        if self.baseline is None:
            return None
        entry = BaselineSpec(path=self.baseline) if isinstance(self.baseline, str) else self.baseline
        return self.model_copy(update={**_ALONE, **entry.model_dump(exclude_none=True)})


class DataSpec(_Strict):
    """[data.test], [data.train], [data.known]: a table and the roles of its columns."""

    path: str = Field(description="CSV or Parquet file, folder or glob, relative to this file")
    task: Task | None = Field(None, description="where there is no [model] to say it; inferred when absent")
    target: Column | None = Field(None, description="the truth; a list of 0/1 columns, one a label, is multilabel")
    positive: Scalar | None = Field(None, description="the target value that a score is about")
    favourable: Scalar | None = Field(None, description="the outcome people want; default: positive")
    groups: Names | None = Field(None, description="sensitive attributes, sites, scanners")
    missing: Literal["group", "bounds"] | None = Field(
        None, description="rows of unknown group are a group of their own, or are assigned in the worst way (bounds)"
    )
    features: Names | None = Field(None, description="default: the model's own, else every column without another role")
    prediction: Column | None = Field(None, description="column of decisions (no model); a list: one a label")
    score: str | None = Field(None, description="column of scores for the positive class (no model)")
    scores: Names | None = Field(None, description="one column of probability a class, or a label (no model)")
    threshold: Threshold | None = Field(
        None, description="a score at or above it counts as positive (no model); a list: one a label"
    )
    baseline: BaselineColumns | None = Field(
        None, description="columns of what the model now in use said of these rows, compared row by row"
    )
    query: str | None = Field(None, description="ranking: rows of one value are a list of their own; else all rows are")
    id: str | None = None
    weight: str | None = None
    cluster: str | None = None
    time: str | None = None
    control: Names | None = None
    immutable: Names | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a multilabel task, which bear the names of their columns; empty for every other task."""
        return self.target if isinstance(self.target, tuple) else ()


class DataSpecs(_Strict):
    test: DataSpec
    train: DataSpec | None = None
    known: DataSpec | None = None


class ColumnSpec(_Strict):
    """[columns]: what the file cannot say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    kind: Literal["number", "category", "text", "image", "audio", "series", "embedding"] | None = None
    root: str | None = None
    sources: str | None = Field(None, alias="from", description="pattern of the stored columns it is made of")
    shape: tuple[PositiveInt, ...] | None = Field(None, description="[channels, height, width] of a picture")
    bins: tuple[float, ...] | None = Field(None, min_length=1, description="edges between groups of a number")
    labels: dict[str, str] = Field(default_factory=dict)
    reference: str | None = None


class TrainingSpec(_Strict):
    """[training]: what is known of how the model was trained. Each line is evidence of its energy; none is required."""

    record: str | None = Field(
        None, description="audit.track's file, codecarbon's emissions.csv, a carbontracker log, or Zeus's CSV or JSON"
    )
    region: str | None = Field(None, description="country of the training, for CO2e; without it, energy only")
    recipe: str | None = Field(
        None, description='"train.py:fit", a generator that yields after each step; runs only with --allow-code'
    )
    samples: int | None = Field(None, ge=1, description="rows seen in one epoch")
    epochs: float | None = Field(None, gt=0, allow_inf_nan=False, description="times that all rows were seen")
    batch: int | None = Field(None, ge=1, description="rows of one training step")
    trials: int = Field(1, ge=1, description="trainings of this size, those of the search for settings included")
    hardware: str | None = Field(None, description="exact name of the accelerator or CPU, as its driver prints it")
    devices: int = Field(1, ge=1, description="how many of them")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] | None = Field(None, description="of the matrix products")
    hours: float | None = Field(None, gt=0, allow_inf_nan=False, description="time that training took, by the clock")
    declared_kwh: float | None = Field(None, gt=0, allow_inf_nan=False, description="energy as somebody stated it")
    declared_kgco2e: float | None = Field(None, gt=0, allow_inf_nan=False, description="emissions as somebody stated")
    boundary: Literal["chip", "system", "facility"] = Field("system", description="what declared_kwh holds")
    rest_watts: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="power at the wall beyond CPU and GPUs, measured on it"
    )
    pue: float | None = Field(None, ge=1, allow_inf_nan=False, description="power usage effectiveness of the building")
    embodied_kgco2e: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="share of the hardware's own emissions, for the SCI score"
    )

    @property
    def tells_energy(self) -> bool:
        """Whether any line is evidence of energy."""
        return bool(self.record or self.declared_kwh or (self.hardware and (self.hours or self.epochs)))


class LimitSpec(_Strict):
    """[[limit]]: measure x by x compare, with a bound and a reason."""

    measure: str
    params: dict[str, Scalar] = Field(default_factory=dict)
    on: str = "test"
    by: Names = ()
    compare: Literal["each", "difference", "ratio"] = "each"
    contrast: Literal["pairs", "reference", "rest", "overall"] = "pairs"
    min: float | None = None
    max: float | None = None
    regress: float | None = Field(None, ge=0)
    level: Literal["fail", "warn", "record"] = "fail"
    why: str = ""
    clause: Names = ()
    required: bool = False
    inconclusive: Literal["block", "warn"] | None = None
    underpowered: Literal["block", "list"] | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> LimitSpec:
        if self.level != "record" and self.min is None and self.max is None and self.regress is None:
            raise ValueError(f'the limit on "{self.measure}" needs min, max or regress (or level = "record")')
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f'the limit on "{self.measure}" has min {self.min} above max {self.max}')
        if self.compare != "each" and not self.by:
            raise ValueError(f'the limit on "{self.measure}" compares ({self.compare}) and needs by = ["column"]')
        return self

    @model_validator(mode="after")
    def _asks_what_can_be_judged(self) -> LimitSpec:
        name = f'the limit on "{self.measure}"'
        if len(set(self.by)) < len(self.by) or ("*" in self.by and len(self.by) > 1):
            raise ValueError(f'{name} has by = {list(self.by)}: name each column once, or "*" alone')
        if self.compare == "each" and self.contrast != "pairs":
            raise ValueError(f'{name} has contrast = "{self.contrast}": it takes compare = "difference" or "ratio"')
        if self.compare != "each" and self.regress is not None:
            raise ValueError(f'{name} has regress, which takes compare = "each": gaps are not compared between runs')
        if self.compare == "difference" and (self.min is not None or (self.max is not None and self.max < 0)):
            raise ValueError(f"{name} bounds a gap, which is never negative: give max, 0 or more, and no min")
        if self.compare == "ratio" and (self.max is not None or (self.min is not None and not 0 < self.min <= 1)):
            raise ValueError(f"{name} bounds a ratio, smaller over larger: give min, above 0 and at most 1, and no max")
        return self


class WaiverSpec(_Strict):
    limit: str
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=1)
    expires: date
    bound: float | None = None


class GateSpec(_Strict):
    inconclusive: Literal["block", "warn"] = "block"
    underpowered: Literal["block", "list"] = "block"
    max_waivers: int = Field(3, ge=0)
    max_waiver_days: int = Field(180, ge=1)
    baseline: str | None = Field(
        None, description="folder of the accepted run that `regress` limits compare with; written by audit accept"
    )


class StatsSpec(_Strict):
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    seed: int = Field(20261122, ge=0)
    min_n: int = Field(30, ge=1)
    intersections: int = Field(2, ge=1, le=4, description="depth of the crossings of sensitive columns")
    ledger: str | None = Field(
        None, description="file that counts the models held against the test data: each is judged more strictly"
    )


class EvidenceSpec(_Strict):
    rows: Literal["none", "sample", "all"] = Field("none", description="whether single rows may be stored and shown")


class ComputeSpec(_Strict):
    engine: Literal["local"] = "local"
    batch: int = Field(8192, ge=1, description="rows a call of the model")
    seconds: float = Field(2.0, gt=0, le=3600, description="how long each model is timed, by each check that times")


class AuditSpec(_Strict):
    """The whole of audit.toml. One file is one model."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    name: str = Field(min_length=1, max_length=100)
    purpose: str = ""
    use: Names = ("default@1",)
    model: ModelSpec | None = None
    data: DataSpecs
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    feature_groups: FeatureGroups = Field(
        default_factory=dict, description="features explained as one, by a name: columns or patterns such as region_*"
    )
    training: TrainingSpec = TrainingSpec()
    limit: tuple[LimitSpec, ...] = ()
    waive: tuple[WaiverSpec, ...] = ()
    gate: GateSpec = GateSpec()
    stats: StatsSpec = StatsSpec()
    evidence: EvidenceSpec = EvidenceSpec()
    compute: ComputeSpec = ComputeSpec()
    checks: tuple[str, ...] = Field((), description="folders of your own checks, run only with --allow-code")

    @model_validator(mode="after")
    def _says_the_task_once(self) -> AuditSpec:
        for name in ("train", "known", *(("test",) if self.model is not None else ())):
            part: DataSpec | None = getattr(self.data, name)
            if part is not None and part.task is not None:
                where = "[model]" if self.model is not None else "[data.test]"
                raise ValueError(f"data.{name}.task is not where the task is said: put it into {where}")
        return self

    @property
    def said_task(self) -> Task | None:
        """What is asked, as far as this file says it: to name a query is to say ranking."""
        said = self.model.task if self.model is not None else self.data.test.task
        return said or ("ranking" if self.data.test.query else None)

    @model_validator(mode="after")
    def _sorts_by_a_score(self) -> AuditSpec:
        if self.said_task != "ranking":
            return self
        test, model = self.data.test, self.model
        decides = ["favourable"] if model is not None else ["favourable", "positive", "prediction", "scores"]
        for key in (*decides, "threshold"):
            if getattr(test, key) is not None or (key == "threshold" and model is not None and model.threshold):
                raise ValueError(
                    f"{key} decides, and a ranking only sorts: leave {key} out, or audit the decisions by themselves "
                    '(task = "binary")'
                )
        if model is None and not test.score:
            raise ValueError("a ranking sorts by one number: give score, its column, in [data.test]")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a multilabel task; empty for every other task."""
        return self.data.test.labels

    def to_load(self, model: ModelSpec) -> ModelSpec:
        """The model or a variant, with what a list of targets says of it: the labels, in their order."""
        several = {"task": "multilabel", "classes": model.classes or self.labels}
        return model.model_copy(update=several) if self.labels else model

    @model_validator(mode="after")
    def _says_alike_of_every_label(self) -> AuditSpec:
        if fault := label_fault(self):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _has_one_baseline(self) -> AuditSpec:
        columns = self.data.test.baseline
        if columns is not None and self.model is not None and self.model.baseline is not None:
            raise ValueError("model.baseline and data.test.baseline both give a baseline: keep one of them")
        if columns is not None and self.labels:
            raise ValueError("data.test.baseline is of one target: name one label as target, or give [model] baseline")
        return self

    @model_validator(mode="after")
    def _groups_what_a_model_reads(self) -> AuditSpec:
        if self.feature_groups and self.model is None:
            raise ValueError("feature_groups say how a model is explained, and there is no [model]: leave them out")
        return self

    @model_validator(mode="after")
    def _says_where_predictions_come_from(self) -> AuditSpec:
        test = self.data.test
        sources = [name for name in ("prediction", "score", "scores") if getattr(test, name)]
        if self.model is None and not sources:
            raise ValueError(
                "say where the predictions come from: a [model] table with path, or, to audit predictions alone, "
                "prediction, score or scores in [data.test]"
            )
        if self.model is not None and sources:
            raise ValueError(
                f"[model] and data.test.{sources[0]} both give predictions: keep the model, or leave [model] out to "
                "audit the stored column"
            )
        return self


class PolicyFile(_Strict):
    """A pack or a --policy file: limits, and the words that introduce them."""

    pack: str = Field(description='its id, "default@1"')
    title: str
    about: str = ""
    as_of: date | None = None
    limit: tuple[LimitSpec, ...]


def relative(root: Path, path: str) -> Path:
    """``path`` as written in a file that lies in ``root``."""
    return Path(path) if Path(path).is_absolute() else root / path
