"""A data set: an Arrow table, the kinds of its columns and the roles they play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audit.data.buffers import values_and_valid, with_nan
from audit.errors import DataError, nearest
from audit.results import Scalar

ColumnKind = Literal["number", "category", "text", "image", "audio", "series", "embedding"]

Columns = Mapping[str, NDArray[Any]]
"""What a model is given: feature name -> array whose first axis is the row. Numbers as stored (NaN: missing), text
and categories as objects (None: missing), images as float32 N x C x H x W in 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column holds. ``sources`` are the stored columns that an image or a series is made of."""

    name: str
    kind: ColumnKind
    sources: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    bins: tuple[float, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRoles:
    """Columns of what another model said of the rows. Empty string or tuple: no such column."""

    prediction: str = ""
    score: str = ""
    scores: tuple[str, ...] = ()
    threshold: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.prediction, self.score, *self.scores) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGroup:
    """Features that are explained as one, under a name of their own."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column plays which part. Empty string or tuple: nobody does."""

    target: str = ""
    targets: tuple[str, ...] = ()  # of a multilabel task, one a label, in place of target
    positive: Scalar | None = None
    favourable: Scalar | None = None
    groups: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    prediction: str = ""
    predictions: tuple[str, ...] = ()  # one a label
    score: str = ""
    scores: tuple[str, ...] = ()  # one a class or a label
    threshold: float | None = None
    thresholds: tuple[float, ...] = ()  # one a label, where they differ
    query: str = ""
    baseline: BaselineRoles = BaselineRoles()
    id: str = ""
    weight: str = ""
    cluster: str = ""
    time: str = ""
    control: tuple[str, ...] = ()
    immutable: tuple[str, ...] = ()
    feature_groups: tuple[FeatureGroup, ...] = ()

    def used(self) -> tuple[str, ...]:
        """Every column with a role that is not a feature."""
        single = (self.target, self.prediction, self.score, self.query, self.id, self.weight, self.cluster, self.time)
        several = (*self.targets, *self.predictions, *self.groups, *self.scores, *self.control, *self.baseline.columns)
        return tuple(dict.fromkeys(n for n in (*single, *several) if n))

    @property
    def truths(self) -> tuple[str, ...]:
        """Every column that holds a truth: one, one a label, or none."""
        return (self.target,) if self.target else self.targets

    def threshold_of(self, at: int) -> float | None:
        """The threshold of the label at this place."""
        return self.thresholds[at] if self.thresholds else self.threshold

    def of_baseline(self) -> Roles:
        """The roles with the baseline's columns in place of the model's."""
        said = self.baseline
        return replace(
            self,
            prediction=said.prediction,
            score=said.score,
            scores=said.scores,
            threshold=said.threshold,
            predictions=(),
            thresholds=(),
        )

    def of_label(self, at: int) -> Roles:
        """The roles of one label, as of a binary task."""
        return replace(
            self,
            target=self.targets[at],
            prediction=self.predictions[at] if self.predictions else "",
            score=self.scores[at] if self.scores else "",
            threshold=self.threshold_of(at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """A column as small integers: ``levels[codes[i]]`` is the value of row i; a level None means missing."""

    codes: NDArray[np.int32]
    levels: tuple[str | None, ...]


def shown(value: object) -> str:
    """A cell as a person writes it: 1.0 reads 1, True reads true."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() and abs(float(value)) < 2**53 else repr(float(value))
    return str(value)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """``table`` holds the stored columns; ``columns`` the logical ones (an image made of 64 stored columns is one)."""

    name: str
    table: pa.Table
    columns: Mapping[str, Column]
    roles: Roles
    path: str = ""
    sha256: str = ""

    @property
    def n(self) -> int:
        return int(self.table.num_rows)

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Dataset:
        """The same data set with these rows only, in this order."""
        return replace(self, table=self.table.take(pa.array(np.asarray(rows, dtype=np.int64))))

    def column(self, name: str) -> Column:
        if name not in self.columns:
            where = f" in {self.path}" if self.path else ""
            raise DataError(f'no column "{name}"{where}{nearest(name, self.columns)}')
        return self.columns[name]

    def stored(self, name: str) -> pa.ChunkedArray:
        self.column(name)
        return self.table.column(name)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Shape (n,), NaN where the value is missing. DataError when the column holds something else."""
        stored = self.stored(name)
        if pa.types.is_dictionary(stored.type):
            stored = stored.cast(stored.type.value_type)
        if pa.types.is_boolean(stored.type):
            stored = stored.cast(pa.int8())
        whole = pa.types.is_integer(stored.type)  # beyond 2^53 a float rounds, as it would for a model
        try:
            return with_nan(stored.cast(pa.float64(), safe=not whole))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(f'column "{name}" of {self.path or self.name} must hold numbers: {error}') from error

    def codes(self, name: str) -> Codes:
        """The column as integers into sorted levels; bins and labels of [columns] are applied, missing comes last."""
        column = self.column(name)
        if column.bins:
            return _binned(self.numbers(name), column.bins)
        try:
            return _encoded(self.stored(name), column.labels)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid, UnicodeDecodeError) as error:
            where = self.path or self.name
            raise DataError(f'column "{name}" of {where} does not hold values that form groups: {error}') from error

    @cached_property
    def features(self) -> Columns:
        """The model's inputs, in the order of the features role."""
        return {name: self.values(name) for name in self.roles.features}

    def values(self, name: str) -> NDArray[Any]:
        """A column as a model is given it (see :data:`Columns`)."""
        column = self.column(name)
        if column.kind == "image":
            return self._image(column)
        if column.kind in {"series", "audio", "embedding"}:
            return self._series(column)
        stored = self.stored(name)
        if pa.types.is_dictionary(stored.type):
            stored = stored.cast(stored.type.value_type)
        if pa.types.is_decimal(stored.type):
            stored = stored.cast(pa.float64())
        if pa.types.is_integer(stored.type) and stored.null_count:
            stored = stored.cast(pa.float64(), safe=False)
        return np.asarray(stored.to_numpy())

    def _image(self, column: Column) -> NDArray[np.float32]:
        stored = None if column.sources else self.table.column(column.name).type
        if stored is None or pa.types.is_nested(stored):  # its numbers, one stored column each or all in one
            if len(column.shape) != 3:
                raise DataError(
                    f'the pictures of column "{column.name}" are stored as numbers: say their size in [columns] as '
                    f"shape = [channels, height, width], got {list(column.shape)}"
                )
            return self._series(column)
        if not _holds_files(stored):
            raise DataError(
                f'column "{column.name}" is said to hold pictures and holds {stored}: give the bytes of a file, '
                "the name of one, or numbers with their shape"
            )
        from audit.data.images import read_images  # Pillow is needed only where pictures are files

        return read_images(self.table.column(column.name).to_pylist(), root=column.root, shape=column.shape)

    def _series(self, column: Column) -> NDArray[np.float32]:
        """Shape (n, samples), or (n, *shape) where [columns] gives one. DataError for rows of different lengths."""
        try:
            flat = self._flat(column)
        except (ValueError, TypeError) as error:
            raise DataError(f'column "{column.name}" must hold numbers: {error}') from error
        if column.shape and int(np.prod(column.shape)) != flat.shape[1]:
            raise DataError(f'column "{column.name}" holds {flat.shape[1]} numbers a row, shape {list(column.shape)}')
        return flat.reshape(self.n, *(column.shape or flat.shape[1:]))

    def _flat(self, column: Column) -> NDArray[np.float32]:
        """Shape (n, numbers)."""
        if column.sources:
            return np.column_stack([self.table.column(s).to_numpy() for s in column.sources]).astype(np.float32)
        cells = self.table.column(column.name).to_pylist()
        if None in cells:
            raise DataError(f'column "{column.name}" holds nothing in row {cells.index(None)}: drop the row or fill it')
        rows = [np.asarray(cell, dtype=np.float32).reshape(-1) for cell in cells]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise DataError(
                f'column "{column.name}" holds series of {lengths[0]} to {lengths[-1]} numbers: '
                "cut or fill them up to one length"
            )
        return np.stack(rows)


def _holds_files(stored: pa.DataType) -> bool:
    kind = stored.value_type if pa.types.is_dictionary(stored) else stored
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return bool(pa.types.is_null(kind)) or any(test(kind) for test in tests)


def matching(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """Names that fit ``pixel_*``, in natural order, so that pixel_10 comes after pixel_9."""

    def natural(name: str) -> tuple[int, str]:
        return (len(name), name)

    return tuple(sorted((n for n in names if fnmatchcase(n, pattern)), key=natural))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124  # NaN is not itself


def _encoded(stored: pa.ChunkedArray, labels: Mapping[str, str]) -> Codes:
    encoded = stored if pa.types.is_dictionary(stored.type) else pc.dictionary_encode(stored)
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([]).dictionary_encode()
    indices, valid = values_and_valid(encoded.indices)
    raw = np.where(valid, indices, -1).astype(np.int64)
    words = [None if _is_missing(value) else shown(value) for value in encoded.dictionary.to_pylist()]
    named = [None if word is None else labels.get(word, word) for word in words]
    present = sorted({word for word in named if word is not None})
    missing = bool((raw < 0).any()) or None in named
    levels: tuple[str | None, ...] = (*present, None) if missing else tuple(present)
    place = {word: i for i, word in enumerate(levels)}
    table = np.array([place[word] for word in named] + [place.get(None, 0)], dtype=np.int32)
    codes = table[raw]  # index -1 is the last entry: missing
    return _only_present(codes, levels)


def _only_present(codes: NDArray[np.int32], levels: tuple[str | None, ...]) -> Codes:
    """Drop levels that no row has: a dictionary may hold more than the table does."""
    seen = np.bincount(codes, minlength=len(levels)) > 0
    renumbered = (np.cumsum(seen) - 1).astype(np.int32)
    kept = tuple(level for level, is_seen in zip(levels, seen, strict=True) if is_seen)
    return Codes(codes=renumbered[codes] if len(codes) else codes, levels=kept)


def _binned(values: NDArray[np.float64], edges: tuple[float, ...]) -> Codes:
    words = [
        f"under {shown(edges[0])}",
        *(f"{shown(a)} to under {shown(b)}" for a, b in pairwise(edges)),
        f"{shown(edges[-1])} or more",
    ]
    codes = np.digitize(values, edges).astype(np.int32)
    codes[np.isnan(values)] = len(words)
    return _only_present(codes, (*words, None))
