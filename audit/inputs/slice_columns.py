"""The columns whose levels, and combinations of them, are searched for errors: features and clusters of embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.data import Codes
from audit.errors import Unavailable
from audit.inputs.embedding_clusters import EmbeddingClusters
from audit.inputs.feature_levels import FeatureLevels

REQUIRES: dict[str, object] = {}


@dataclass(frozen=True, kw_only=True)
class SliceColumns:
    """One entry a column. ``nearest`` holds, for each level of a column of clusters, rows that are typical of it."""

    names: tuple[str, ...]
    columns: tuple[Codes, ...]
    skipped: tuple[str, ...]
    nearest: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)

    def words(self, rule: tuple[tuple[int, int], ...]) -> dict[str, str | None]:
        """(column, level) pairs as a person reads them."""
        return {self.names[column]: self.columns[column].levels[level] for column, level in rule}


def slice_columns(feature_levels: FeatureLevels, embedding_clusters: EmbeddingClusters) -> SliceColumns:
    """Unavailable where no column has two levels."""
    names = (*feature_levels.names, *embedding_clusters.names)
    described = {entry.split(" (")[0] for entry in embedding_clusters.skipped}
    skipped = (*(s for s in feature_levels.skipped if s not in {*names, *described}), *embedding_clusters.skipped)
    if not names:
        detail = "no feature is a number or a category with more than one value, and there are no clusters"
        why = f"{detail} ({', '.join(skipped)})" if skipped else detail
        remedy = 'name columns that describe the rows in groups or features, or a column of kind = "embedding"'
        raise Unavailable("not_applicable", why, remedy)
    return SliceColumns(
        names=names,
        columns=(*feature_levels.columns, *embedding_clusters.columns),
        skipped=skipped,
        nearest=dict(zip(embedding_clusters.names, embedding_clusters.nearest, strict=True)),
    )
