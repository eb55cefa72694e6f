"""What a row of several kinds of input is drawn as: a bar for each input, and the map of each picture and text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.attribution.patch_tokens import resized
from audit.attribution.several import SeveralExplanation
from audit.data import Dataset
from audit.data.dataset import shown
from audit.inputs.explained_maps import ExplainedMaps
from audit.inputs.explanations import listed
from audit.results import Array, Contribution, ImageMap, TextMap, Waterfall

MOST = 15  # bars; the rest are added up


def pictures(
    given: ExplainedMaps[SeveralExplanation], rows: Dataset, i: int
) -> Iterator[Waterfall | ImageMap | TextMap]:
    found = given.explanation
    yield _waterfall(given, rows, i)
    grade = found.grade(0, i)
    note = f"Explains {found.scalar}, all inputs together.{f' Trust {grade.words}.' if grade else ''}"
    completeness, target = float(found.completeness[i]), found.targets[i]
    for name, values in found.inputs.items():
        if name in found.groups:
            continue
        title, label = f"{given.title(i, 'Row')}. {name}", f"row_{i + 1}_{name}"
        if rows.column(name).kind == "image" and values.ndim == 3:
            from audit.attribution.images import shown_pictures  # and with it Captum

            pixels = shown_pictures(rows.values(name)[i : i + 1])[0]
            fitted = np.ascontiguousarray(resized(values[i : i + 1].astype(np.float32), pixels.shape[:2])[0], "<f4")
            yield ImageMap(
                name=label,
                title=title,
                pixels=Array(shape=pixels.shape, dtype="uint8", data=pixels.tobytes()),
                attributions=Array(shape=fitted.shape, dtype="float32", data=fitted.tobytes()),
                method=found.method,
                target=target,
                completeness=completeness,
                note=note,
            )
        elif rows.column(name).kind == "text" and values.ndim == 2:
            words, weights = found.tokens[i], tuple(values[i, : len(found.tokens[i])].tolist())
            yield TextMap(
                name=label,
                title=title,
                tokens=words,
                weights=weights,
                method=found.method,
                target=target,
                completeness=completeness,
                note=note,
            )


def _waterfall(given: ExplainedMaps[SeveralExplanation], rows: Dataset, i: int) -> Waterfall:
    """Every input's contribution as one bar, the largest first."""
    found = given.explanation
    sums = {name: float(values[i].sum()) for name, values in found.inputs.items()}
    order = sorted(sums, key=lambda name: -abs(sums[name]))
    cells = {name: listed([_cell(rows, c, i) for c in found.groups.get(name, (name,))]) for name in order}
    items = [Contribution(label=name, shown=cells[name], value=sums[name]) for name in order[:MOST]]
    if rest := order[MOST:]:
        together = sum(sums[name] for name in rest)
        items.append(Contribution(label=f"{len(rest)} other columns", shown="", value=together))
    return Waterfall(
        name=f"row_{i + 1}",
        title=f"{given.title(i, 'Row')}: what each input gave",
        unit=found.unit,
        base=float(found.base[i]),
        output=float(found.output[i]),
        items=tuple(items),
        completeness=float(sum(sums.values()) - (found.output[i] - found.base[i])),
        method=found.method,
        note=f"Explains {found.scalar}; {found.value_function}.{_refined(found, i)}",
    )


def _refined(found: SeveralExplanation, i: int) -> str:
    """How far the contributions may be off."""
    return f" The last refinement moved the contributions by {100 * float(found.numerical[i]):.1f} % in all."


def _cell(rows: Dataset, name: str, i: int) -> str:
    """A number to four digits, a category as it is named; else what kind of input it is."""
    kind = rows.column(name).kind
    if kind not in {"number", "category"}:
        return kind
    value = rows.values(name)[i]
    return shown(float(f"{value:.4g}")) if isinstance(value, float | np.floating) else shown(value)
