"""Where in time and in which channel a series or a sound speaks for the predicted class.

Integrated gradients of the numbers that the module is given, time x channel (for sound: band x time, where encode makes
a log-mel spectrogram), from the mean series and from zero; and two families of covers that need no gradients: windows
of one channel left out, and times left out first and channels within them (temporal rescaling). Signs are kept:
unsigned measures cancel what speaks for and against (TIMING, arXiv 2506.05035).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model
from audit.stats import generator

from .maps import MapExplanation, Maps
from .network import Network, encoded, preflight
from .path_maps import ablation, integrated, path_from, quick
from .subject import Method, Subject
from .temporal_rescaling import rescaled
from .trust import assess
from .trust_grades import Rules
from .untouched import untouched

BACKGROUND_ROWS = 100
WINDOWS = 12  # along the longer axis
CHANNELS = 12  # at most, each by itself; more are covered in bands


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesExplanation(MapExplanation):
    """n series as the module is given them (n, ..., ...); the first map axis is ``axes[0]``."""

    series: NDArray[np.float32]
    axes: tuple[str, str]


def explain_series(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> SeriesExplanation:
    """Maps of every row of ``data`` (a few: take them first); the one feature is a series or a sound."""
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients to map", "give the torch module itself")
    source = background or data
    order = generator(seed, "attribution.series_background").permutation(source.n)[:BACKGROUND_ROWS]
    network = Network.of(model)
    with untouched(network.module):
        inputs, usual = _inputs(model, data), _inputs(model, source.take(np.sort(order)))
        answers = preflight(network, (inputs,))
        targets = network.predicted(answers)
        _, typical = network.usual(network.answers((usual,)), targets)
        subject = series_subject(network, inputs, usual, targets)
        sound = data.column(data.roles.features[0]).kind == "audio"
        axes = ("band", "time") if sound and inputs.ndim == 3 else ("time", "channel")
        maps, methods = _maps(subject, typical, axes.index("time"))
        trust = () if rules is None else assess(subject, methods, maps, rules, seed)
        output = subject.outputs().numpy()
    return SeriesExplanation(
        series=inputs.reshape(len(inputs), inputs.shape[1], -1).cpu().float().numpy(),
        axes=axes,
        targets=tuple(network.classes[t] if network.classes else "value" for t in targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=tuple(maps),
        trust=trust,
        evaluations=sum(own.evaluations for own in maps),
        modality="audio" if sound else "series",
        feature=data.roles.features[0],
        unit=network.words[1],
        output=output,
        value_function=f"straight path from the baseline that the method names ({len(usual)} rows of {source.name})",
        background_n=len(usual),
        seed=seed,
    )


def _inputs(model: Differentiable, data: Dataset) -> torch.Tensor:
    tensors = encoded(model, data.features)
    if len(tensors) != 1 or tensors[0].ndim not in {2, 3}:
        raise Unavailable(
            "not_applicable", "encode does not return one tensor n x time (x channel)", "give it that shape"
        )
    return tensors[0]


def series_subject(
    network: Network, inputs: torch.Tensor, usual: torch.Tensor, targets: torch.Tensor, channels: int = CHANNELS
) -> Subject:
    """Windows of a channel, or of a band of channels where there are more than ``channels``; covered with the mean."""
    places = window_numbers(inputs.shape[1], inputs.shape[2] if inputs.ndim == 3 else 1, channels)
    return Subject(
        network=network,
        inputs=inputs,
        targets=targets,
        units=torch.from_numpy(places).reshape(inputs.shape[1:]),
        places=places,
        fills=(usual.mean(dim=0, keepdim=True).expand_as(inputs), torch.zeros_like(inputs)),
        spread=usual.std(dim=0, correction=0),
        live=np.ones((len(inputs), int(places.max()) + 1), dtype=bool),
    )


def window_numbers(first: int, second: int, channels: int = CHANNELS) -> NDArray[np.int64]:
    """The window that each place of (first, second) lies in: the longer axis in 12 parts, the other in ``channels``."""
    most = (WINDOWS, channels) if first >= second else (channels, WINDOWS)
    parts = [np.arange(size) * min(limit, size) // size for size, limit in zip((first, second), most, strict=True)]
    return np.asarray(parts[0][:, None] * (parts[1].max() + 1) + parts[1][None, :])


def _maps(subject: Subject, typical: torch.Tensor, time_axis: int) -> tuple[list[Maps], list[Method]]:
    maps, methods = [], []
    for k, name in enumerate(("the mean series", "zero")):
        along = path_from(subject, subject.fills[k], typical)
        own = integrated(subject, along, typical, f"integrated gradients from {name}")
        maps.append(own)
        methods.append(Method(short=own.short, family=own.family, make=quick(k)))
    if min(subject.places.shape) > 1:  # with one channel it is the ablation of windows
        maps.append(rescaled(subject, time_axis))
        short, family = maps[-1].short, maps[-1].family
        methods.append(Method(short=short, family=family, make=lambda s: rescaled(s, time_axis).values))
    maps.append(_left_out(subject))
    methods.append(Method(short="window ablation", family="ablation", make=lambda s: _left_out(s).values))
    return maps, methods


def _left_out(subject: Subject) -> Maps:
    groups = np.tile(np.arange(subject.count), (subject.n, 1))
    return ablation(subject, groups, "window ablation (the mean series in its place)", "window ablation")
