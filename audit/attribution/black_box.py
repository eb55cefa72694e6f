"""Maps of any model that answers: pictures, series, sound and text whose model has no gradients.

Patches, windows and words are covered and the model is asked again. Shapley values of these units add up to the output;
leaving out one unit at a time is the second opinion. A text's words are left out, so that the model meets a shorter
text; patches take the mean colour and windows the mean series of the background.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Dataset
from audit.models import Model, ProbabilisticClassifier, Regressor
from audit.models.probabilities import checked
from audit.stats import generator

from .maps import MapExplanation, Maps
from .network import Network, Tensors, steady
from .path_maps import ablation
from .scalar import explained_scalar
from .subject import Method, Subject
from .trust import assess
from .trust_grades import Rules
from .unit_shapley import EACH, EVALUATIONS, quick_shapley, unit_shapley

BACKGROUND_ROWS = 100
PATCHES = 6  # along a side: Shapley values of 64 are a quarter noise at the same cost
CHANNELS = 3
MOST_WORDS = 100  # of a text, by themselves; longer ones are left out in runs of words

Answer = Callable[..., NDArray[Any]]


class BlackBox(torch.nn.Module):
    """A function of arrays as a module without parameters: it can be asked, and has no gradients. ``audited`` is the
    name of the model behind it, for messages."""

    def __init__(self, answer: Answer, audited: str) -> None:
        super().__init__()
        self.answer, self.audited = answer, audited

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        found = np.asarray(self.answer(*(t.detach().cpu().numpy() for t in inputs)), dtype=np.float64)
        return torch.from_numpy(found.reshape(len(found), -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a modality makes of the rows: ``kind`` is the explanation's class and ``shown`` what it holds besides."""

    subject: Subject
    typical: NDArray[np.float64]
    unit: str
    units: str
    cover: str
    kind: type[MapExplanation]
    shown: dict[str, Any]


def explain_units(
    model: Model,
    data: Dataset,
    *,
    background: Dataset | None = None,
    rules: Rules | None = None,
    evaluations: int | None = None,
    note: str = "",
    seed: int,
) -> MapExplanation:
    """Maps of every row of ``data`` (a few: take them first), whose one feature is a picture, text, series or sound.

    About ``evaluations`` model calls a row (default: 2,000, or 30 a unit). Unavailable for a model of labels only.
    """
    explained_scalar(model, None)  # which says why there is none
    name, source = data.roles.features[0], background or data
    order = generator(seed, "attribution.unit_background").permutation(source.n)[:BACKGROUND_ROWS]
    kind = data.column(name).kind
    read = {"image": _pictures, "text": _texts}.get(kind, _series)
    found = read(model, data, source.take(np.sort(order)))
    subject, words = found.subject, found.units
    calls = evaluations or max(EVALUATIONS, EACH * subject.count)
    maps = [unit_shapley(subject, found.typical, words, seed, calls), _left_out(subject, found)]
    methods = [
        Method(short=maps[0].short, family="shapley", make=lambda s: quick_shapley(s, seed)),
        Method(short=maps[1].short, family="ablation", make=lambda s: _left_out(s, found).values),
    ]
    trust = () if rules is None else assess(subject, methods, maps, rules, seed)
    classes = subject.network.classes
    return found.kind(
        targets=tuple(classes[t] if classes else "value" for t in subject.targets.tolist()),
        scalar=subject.network.words[0].replace("target", "predicted"),
        maps=tuple(maps),
        trust=trust,
        evaluations=sum(own.evaluations for own in maps),
        modality=kind,
        feature=name,
        unit=subject.network.words[1],
        output=subject.outputs().numpy(),
        value_function=f"{words} that are absent: {found.cover}",
        background_n=len(order),
        seed=seed,
        note=note,
        **found.shown,
    )


def _left_out(subject: Subject, found: _Read) -> Maps:
    groups = np.tile(np.arange(subject.count), (subject.n, 1))
    return ablation(subject, groups, f"{found.unit} ablation ({found.cover})", f"{found.unit} ablation")


def _network(model: Model, answer: Answer) -> Network:
    return Network(
        module=BlackBox(answer, model.name), output="probability" if model.classes else "value", classes=model.classes
    )


def _asked(network: Network, rows: Tensors, usual: Tensors) -> tuple[torch.Tensor, NDArray[np.float64]]:
    """The class of each row, (n,), and a change of its scalar that is usual over the background, (n,)."""
    targets = network.predicted(steady(network, rows))
    return targets, network.usual(network.answers(usual), targets)[1].numpy()


def _of_arrays(model: Model, data: Dataset, usual: Dataset) -> tuple[Network, torch.Tensor, torch.Tensor]:
    name = data.roles.features[0]
    network = _network(model, lambda values: answer(model, {name: values}))
    both = (torch.from_numpy(part.values(name).astype(np.float32)) for part in (data, usual))
    return network, next(both), next(both)


def answer(model: Model, columns: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Probabilities (n, classes) or values (n,)."""
    if isinstance(model, Regressor) and not model.classes:
        return model.predict_value(columns)
    if not isinstance(model, ProbabilisticClassifier):
        raise TypeError(f"{model.name} gives no probabilities")
    return checked(model.predict_proba(columns), model)


def _pictures(model: Model, data: Dataset, usual: Dataset) -> _Read:
    from .images import ImageExplanation, blurred, picture_subject, shown_pictures  # SciPy's filters, and Captum

    network, inputs, background = _of_arrays(model, data, usual)
    targets, typical = _asked(network, (inputs,), (background,))
    pixels = inputs.numpy()
    subject = picture_subject(network, inputs, targets, background, torch.from_numpy(blurred(pixels)), PATCHES)
    cover = f"the mean colour of {len(background)} rows of {usual.name}"
    shown = {"pixels": shown_pictures(pixels)}
    return _Read(
        subject=subject, typical=typical, unit="patch", units="patches", cover=cover, kind=ImageExplanation, shown=shown
    )


def _series(model: Model, data: Dataset, usual: Dataset) -> _Read:
    from .series import SeriesExplanation, series_subject

    network, inputs, background = _of_arrays(model, data, usual)
    targets, typical = _asked(network, (inputs,), (background,))
    subject = series_subject(network, inputs, background, targets, CHANNELS)
    cover = f"the mean of {len(background)} rows of {usual.name}"
    shown = {"series": inputs.reshape(len(inputs), inputs.shape[1], -1).numpy(), "axes": ("time", "channel")}
    return _Read(
        subject=subject,
        typical=typical,
        unit="window",
        units="windows",
        cover=cover,
        kind=SeriesExplanation,
        shown=shown,
    )


def _texts(model: Model, data: Dataset, usual: Dataset) -> _Read:
    from .text import TextExplanation

    name = data.roles.features[0]
    words = pieces([*data.values(name).tolist(), *usual.values(name).tolist()])
    length = max(1, *map(len, words))

    def ask(kept: NDArray[np.float32], row: NDArray[np.int64]) -> NDArray[np.float64]:
        texts = [
            "".join(w for w, k in zip(words[r], keep, strict=False) if k) for r, keep in zip(row, kept, strict=True)
        ]
        return answer(model, {name: np.array([text.strip() for text in texts], dtype=object)})

    network = _network(model, ask)
    rows = torch.arange(len(words))
    kept = torch.ones((len(words), length))
    own = (kept[: data.n], rows[: data.n])
    targets, typical = _asked(network, own, (kept[data.n :], rows[data.n :]))
    places = np.arange(length)
    subject = Subject(
        network=network,
        inputs=own[0],
        targets=targets,
        units=torch.from_numpy(places),
        places=places,
        fills=(torch.zeros_like(own[0]),),
        spread=torch.zeros(length),
        live=places[None, :] < np.array([len(w) for w in words[: data.n]])[:, None],
        others=own[1:],
    )
    shown = {"tokens": tuple(tuple(w.strip() for w in row) for row in words[: data.n])}
    cover = "left out of the text"
    return _Read(
        subject=subject, typical=typical, unit="word", units="words", cover=cover, kind=TextExplanation, shown=shown
    )


def pieces(texts: list[Any]) -> list[list[str]]:
    """The words of each text with the space after them; of a very long one, runs of words. Missing: no words."""
    split = [re.findall(r"\S+\s*", "" if text is None else str(text)) for text in texts]
    step = max(1, -(-max((len(words) for words in split), default=1) // MOST_WORDS))
    return [["".join(words[i : i + step]) for i in range(0, len(words), step)] for words in split]
