"""Which words of a text speak for the predicted class and which against, by methods of two families.

Why it matters: a classifier that reads the letterhead, a name or a turn of phrase of one author decides by what should
not count; the words it leans on show it, if the map can be trusted.

How it is measured: up to eight texts, wrong ones first. Integrated gradients of the token embeddings, from the mean
embedding and from the padding token, for the logit of the predicted class (log-odds with two classes), with nodes
doubled until a text adds up; and the fall of the output when a token, or a word of several tokens, is replaced by the
mean embedding. A model without gradients, or without an embedding layer, is asked instead: Shapley values of words and
words left out. Every map carries the grade of its trust checks (see trust_maps); a withheld one is not drawn. The share
of words is the part of all attribution that the three strongest tokens hold, over the maps that are shown. A map says
what the model used, not what it would say to another text.

How to reduce the risk: where the strongest words should not count, remove or mask them, collect texts in which they do
not go with the label, and retrain; ask the model about the changed text.

Sources: Sundararajan et al., ICML 2017 (section 5); Li et al., arXiv 1612.08220 (erasure); Krishna et al., TMLR 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.attribution.text import TextExplanation
from audit.check import check
from audit.checks._support import Sheet
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import Outcome, TextMap
from audit.stats import mean

MEASURES = {
    "text_strongest_share": {
        "unit": "1",
        "better": "none",
        "words": "share of a text's attribution that its three strongest tokens hold",
        "params": {"method": "str"},
    },
}
STRONGEST = 3


@check(cost="gradient")
def text_maps(text_explanations: ExplainedMaps[TextExplanation], level: float) -> Outcome:
    found = text_explanations.explanation
    sheet = Sheet(measures=MEASURES, level=level)
    for k, maps in enumerate(found.maps):
        shares = np.array([_share(weights) for i, weights in _shown(found, k) if np.any(weights)])
        sheet.add("text_strongest_share", lambda s=shares: mean(s), n=len(shares), params={"method": maps.short})  # type: ignore[misc]
    return sheet.outcome(*_pictures(text_explanations))


def _shown(found: TextExplanation, k: int) -> Iterator[tuple[int, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    """The texts whose map by this method is not withheld, with the weight of each token."""
    for i, tokens in enumerate(found.tokens):
        grade = found.grade(k, i)
        if grade is None or grade.shown:
            yield i, found.maps[k].values[i, : len(tokens)].astype(np.float64)


def _share(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    ordered = np.sort(np.abs(weights))[::-1]
    return float(ordered[:STRONGEST].sum() / ordered.sum())


def _pictures(given: ExplainedMaps[TextExplanation]) -> Iterator[TextMap]:
    found = given.explanation
    for k, maps in enumerate(found.maps):
        for i, weights in _shown(found, k):
            grade = found.grade(k, i)
            yield TextMap(
                name=f"text_{i + 1}_map_{k + 1}",
                title=f"{given.title(i, 'Text')}. {maps.short[0].upper()}{maps.short[1:]}",
                tokens=found.tokens[i],
                weights=tuple(weights.tolist()),
                method=maps.method,
                target=found.targets[i],
                completeness=None if maps.completeness is None else float(maps.completeness[i]),
                note=f"Explains {found.scalar}.{f' Trust {grade.words}.' if grade else ''} {found.note}".strip(),
            )
