"""Where in a picture the evidence for the predicted class lies, by methods of three families.

Why it matters: a network that reads the scanner's label instead of the lung is right in the test and wrong in the
clinic; a map shows it, if the map can be trusted.

How it is measured: up to eight images, wrong ones first, over as many classes as possible. Integrated gradients from a
black image and from a blurred copy, for the logit of the predicted class (log-odds with two classes), with nodes
doubled until a map adds up; GradCAM at the last convolution, or for a vision transformer, which has none, patch tokens
left out at their embedding; occlusion by windows of the mean colour. A model without gradients is asked instead:
Shapley values of at most 6 x 6 patches and patches covered one at a time. Where a method promises that its map adds up,
the relative error is measured, and an image that misses by more than 5 % loses all its maps. Every map carries the
grade of its trust checks (see trust_maps); a withheld one is not drawn. Agreement is Spearman's rank correlation and
the overlap of the top tenth (chance: 0.10), over cells of at most 14 x 14, mean over the pairs of families, with
intervals over the images. Agreement is no proof: methods can share a blind spot, and a map says where, not why.

How to reduce the risk: where the evidence lies outside the object, collect images without the shortcut or mask it, and
retrain; where methods disagree, do not show a single map to a decision maker.

Sources: Sundararajan et al., ICML 2017; Selvaraju et al., ICCV 2017; Zeiler & Fergus, ECCV 2014; Krishna et al., TMLR
2024 (disagreement); Adebayo et al., NeurIPS 2018 (sanity checks); Dosovitskiy et al., ICLR 2021 (patches). GradCAM and
occlusion by Captum.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from audit.attribution.agreement import cells, rank_correlation, top_overlap
from audit.attribution.explanation import RED
from audit.attribution.images import ImageExplanation
from audit.attribution.maps import Maps
from audit.check import check
from audit.errors import Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import Array, ImageMap, Measurement, Omission, Outcome, Reason, Table
from audit.stats import exact, mean, measured

MEASURES = {
    "map_completeness_error": {"unit": "1", "better": "lower", "words": "median relative error of the maps' sums"},
    "map_rank_agreement": {"unit": "1", "better": "higher", "words": "rank correlation between attribution methods"},
    "map_top_overlap": {"unit": "1", "better": "higher", "words": "overlap of the methods' top tenth of the image"},
    "map_baseline_agreement": {"unit": "1", "better": "higher", "words": "rank correlation between two baselines"},
}
AGREEMENTS = {
    "map_rank_agreement": rank_correlation,
    "map_top_overlap": top_overlap,
    "map_baseline_agreement": rank_correlation,
}
NOTHING = " The method found no evidence for the class, so that the map is empty."


@check(cost="gradient")
def image_maps(image_explanations: ExplainedMaps[ImageExplanation], level: float) -> Outcome:
    found = image_explanations.explanation
    errors = np.array([maps.completeness for maps in found.maps if maps.completeness is not None])
    worst = errors.max(axis=0)
    kept = np.flatnonzero(worst <= RED).tolist()
    error = measured(
        name="map_completeness_error", basis=exact(float(np.median(errors))), level=level, n=errors.size, unit="1"
    )
    agreed = [_agreement(name, found, kept, level) for name in AGREEMENTS]
    return Outcome(
        measurements=(error, *(a for a in agreed if isinstance(a, Measurement))),
        omissions=(*(a for a in agreed if isinstance(a, Omission)), *_missing(found, worst.tolist())),
        evidence=(*_pictures(image_explanations, kept), *((_table(found, kept),) if kept else ())),
    )


def _pairs(measure: str, maps: tuple[Maps, ...]) -> list[tuple[Maps, Maps]]:
    """Two baselines of one method for the baseline's own measure, else pairs of different families."""
    same = measure == "map_baseline_agreement"
    return [(a, b) for a, b in combinations(maps, 2) if (a.family == b.family) is same]


def _agreement(measure: str, found: ImageExplanation, kept: list[int], level: float) -> Measurement | Omission:
    """Mean over images of the mean over pairs; an image whose maps are all flat has no agreement."""
    pairs = _pairs(measure, found.maps)
    images = [[AGREEMENTS[measure](cells(a.values[i]), cells(b.values[i])) for a, b in pairs] for i in kept]
    values = [float(np.mean(known)) for image in images if (known := [v for v in image if v is not None])]
    try:
        basis = mean(np.array(values))
    except Unavailable as why:
        return Omission(name=measure, reason=Reason(why.reason), detail=str(why), remedy=why.remedy, n=len(values))
    return measured(name=measure, basis=basis, level=level, n=len(values), unit="1")


def _missing(found: ImageExplanation, worst: list[float]) -> Iterator[Omission]:
    for i, error in enumerate(worst):
        if error > RED:
            detail = f"image {i + 1}: its integrated gradients miss the output by {error:.0%}, more than {RED:.0%}"
            remedy = "use a smoother activation, or double precision, and map it again"
            yield Omission(name="map_completeness_error", reason=Reason.WITHHELD, detail=detail, remedy=remedy, n=1)
    for why in found.unavailable:
        yield Omission(name="map_rank_agreement", reason=Reason(why.reason), detail=str(why), remedy=why.remedy)


def _pictures(given: ExplainedMaps[ImageExplanation], kept: list[int]) -> Iterator[ImageMap]:
    found = given.explanation
    for i in kept:
        pixels = Array(shape=found.pixels[i].shape, dtype="uint8", data=found.pixels[i].tobytes())
        for k, maps in enumerate(found.maps):
            grade = found.grade(k, i)
            if grade is not None and not grade.shown:
                continue
            values = np.ascontiguousarray(maps.values[i], dtype="<f4")
            trust = f" Trust {grade.words}." if grade else ""
            yield ImageMap(
                name=f"image_{i + 1}_map_{k + 1}",
                title=f"{given.title(i, 'Image')}. {maps.short[0].upper()}{maps.short[1:]}",
                pixels=pixels,
                attributions=Array(shape=values.shape, dtype="float32", data=values.tobytes()),
                method=maps.method,
                target=found.targets[i],
                completeness=None if maps.completeness is None else float(maps.completeness[i]),
                signed=maps.signed,
                note=f"Explains {found.scalar}.{NOTHING if not values.any() else ''}{trust} {found.note}".strip(),
            )


def _table(found: ImageExplanation, kept: list[int]) -> Table:
    rows = []
    for a, b in combinations(found.maps, 2):
        both = [(cells(a.values[i]), cells(b.values[i])) for i in kept]
        means = [_mean([f(x, y) for x, y in both]) for f in (rank_correlation, top_overlap)]
        rows.append((a.short, b.short, *means, len(kept)))
    columns = ("method", "other method", "rank correlation", "top tenth shared", "images")
    return Table(name="map_agreement", title="Do the methods agree?", columns=columns, rows=tuple(rows))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
