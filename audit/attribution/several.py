"""Models that read several kinds of input at once: what each pixel, token, window and column gave, on one scale.

Integrated gradients along the straight path of all inputs together (Sundararajan et al., ICML 2017, eq. 1), so that the
contributions of a picture, a note and a table add up to one output and can be compared. From the mean of the
background, and from zero as a second baseline; units left out one at a time as a family that needs no gradients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Model
from audit.stats import generator

from .joint import Joint, Slot, joint, units
from .maps import MapExplanation, Maps, adds_up
from .multimodal import modalities
from .network import preflight
from .path_maps import ablation, integrated, path_from, quick
from .players import Players
from .subject import Floats, Method, Subject
from .trust import assess
from .trust_grades import Rules
from .untouched import untouched

BACKGROUND_ROWS = 100
BASELINES = ("the mean of the background", "zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralExplanation(MapExplanation):
    """Maps (n, units) over the units of all inputs; ``columns`` (units,) names the column of each.

    ``inputs`` holds, by column, what the answer gives each of its places: pictures (n, H, W) as the module is
    given them, texts (n, length) with their ``tokens``, series (n, ...), a column of the table (n,).
    """

    columns: tuple[str, ...]
    inputs: Mapping[str, Floats]
    tokens: tuple[tuple[str, ...], ...] = field(default=())
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the columns and groups of each modality

    @property
    def parts(self) -> Mapping[str, NDArray[Any]]:
        return self.inputs

    def totals(self, method: int = 0) -> Floats:
        """What each modality of ``members`` gave, signed, (n, modalities)."""
        values = self.maps[method].values.astype(np.float64)
        inside = [[column in names for column in self.columns] for names in self.members.values()]
        return np.asarray(values @ np.array(inside, dtype=np.float64).T)


def explain_several(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> SeveralExplanation:
    """Contributions of every row of ``data`` (a few: take them first), for the class that the model predicts.

    Unavailable (not_applicable) for a model without gradients, for text that is not looked up in an embedding, and
    where encode mixes columns.
    """
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no gradients", "explain it as a black box")
    source = background or data
    order = generator(seed, "attribution.several_background").permutation(source.n)[:BACKGROUND_ROWS]
    usual = source.take(np.sort(order))
    with untouched(model.module):
        found = joint(model, data, usual)
        kinds = {name: data.column(name).kind for name in data.roles.features}
        subject, names = joint_subject(found, data.n, kinds)
        every = (found.numbers, *found.fixed)
        preflight(found.network, every)
        _, typical = found.network.usual(found.network.answers(tuple(t[data.n :] for t in every)), subject.targets)
        paths = [path_from(subject, fill, typical) for fill in subject.fills]
        maps = [
            integrated(subject, along, typical, f"integrated gradients from {where}", _by_unit)
            for along, where in zip(paths, BASELINES, strict=True)
        ]
        methods = [Method(short=m.short, family=m.family, make=quick(k, _by_unit)) for k, m in enumerate(maps)]
        maps.append(_left_out(subject))
        methods.append(Method(short="unit ablation", family="ablation", make=lambda s: _left_out(s).values))
        trust = () if rules is None else assess(subject, methods, maps, rules, seed)
        output = subject.outputs().numpy()
    best = next((k for k, m in enumerate(maps) if m.completeness is not None and adds_up(m.completeness)), 0)
    network = found.network
    return SeveralExplanation(
        targets=tuple(network.classes[t] if network.classes else "value" for t in subject.targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=tuple(maps),
        trust=trust,
        evaluations=sum(own.evaluations for own in maps),
        modality="several",
        feature=", ".join(found.columns),
        unit=network.words[1],
        output=output,
        value_function=f"straight path of all inputs from the mean of {usual.n} rows of {source.name}",
        background_n=usual.n,
        seed=seed,
        columns=names,
        inputs=_by_column(found, paths[best].integral.values[0], kinds),
        tokens=found.tokens[: data.n],
        members=_members(data),
        groups=Players.in_data(data).groups,
    )


def joint_subject(found: Joint, n: int, kinds: Mapping[str, str]) -> tuple[Subject, tuple[str, ...]]:
    """All inputs side by side with their units, and the column of each unit."""
    unit, names = units(found, kinds)
    own, usual = found.numbers[:n], found.numbers[n:]
    mean, zero = usual.mean(dim=0, keepdim=True).expand_as(own).clone(), torch.zeros_like(own)
    spread = usual.std(dim=0, correction=0).expand_as(own).clone()
    live = np.tile(np.array([bool(name) for name in names]), (n, 1))
    for slot, span in found.spans():
        if found.text and slot.column == found.text:
            has = _has_token(found, slot.shape[0])
            _fill_text(found, has, span, (mean, zero), spread)
            first = int(unit[span][0])
            live[:, first : first + slot.shape[0]] = has[:n].cpu().numpy()
    fixed = tuple(t[:n] for t in found.fixed)
    subject = Subject(
        network=found.network,
        inputs=own,
        targets=found.network.predicted(found.network.answers((own, *fixed))),
        units=torch.from_numpy(unit),
        places=np.arange(len(names)),
        fills=(mean, zero),
        spread=spread,
        live=live,
        others=fixed,
    )
    return subject, names


def _fill_text(found: Joint, has: torch.Tensor, span: slice, fills: tuple[torch.Tensor, ...], spread: Any) -> None:
    """The mean embedding and the padding token where the rows have tokens, written into the fills and the spread.

    What stands beyond the end of a text is the same in every fill, so that nothing is attributed to it.
    """
    n, length = len(spread), has.shape[1]
    words = found.numbers[:, span].reshape(len(found.numbers), length, -1)
    known, mine = words[n:][has[n:]], has[:n, :, None]
    for fill, value in zip(fills, (known.mean(dim=0), found.padding), strict=True):
        fill[:, span] = torch.where(mine, value, words[:n]).reshape(n, -1)
    spread[:, span] = (mine * known.std(dim=0, correction=0)).reshape(n, -1)


def _has_token(found: Joint, length: int) -> torch.Tensor:
    lengths = torch.tensor([len(row) for row in found.tokens], device=found.numbers.device)
    return torch.arange(length, device=found.numbers.device)[None, :] < lengths[:, None]


def _left_out(subject: Subject) -> Maps:
    groups = np.tile(np.arange(subject.count), (subject.n, 1))
    return ablation(subject, groups, "unit ablation (the mean of the background in its place)", "unit ablation")


def _by_unit(subject: Subject, values: torch.Tensor) -> NDArray[np.float32]:
    """Numbers (n, D) added up over each unit, (n, units)."""
    sums = torch.zeros((subject.n, subject.count), dtype=torch.float64)
    return sums.index_add_(1, subject.units.cpu(), values.double()).float().numpy()


def _by_column(found: Joint, values: torch.Tensor, kinds: Mapping[str, str]) -> dict[str, Floats]:
    """What each place of each column gave; a column that is spread over several tensors is one number."""
    numbers, result = values.numpy(), {}
    for name in found.columns:
        alone = [(slot, span) for slot, span in found.spans() if slot.column == name]
        mine = np.flatnonzero(found.owner == found.columns.index(name))
        whole = len(alone) == 1 and len(mine) == sum(found.owner[alone[0][1]] >= 0)
        if whole and kinds.get(name) in {"image", "text", "series", "audio"}:
            result[name] = _shaped(numbers[:, alone[0][1]], alone[0][0], kinds[name])
        else:
            result[name] = numbers[:, mine].sum(axis=1)
    return result


def _members(data: Dataset) -> dict[str, tuple[str, ...]]:
    """The parts of each modality: its columns, those of a group under the group's name."""
    players = Players.in_data(data)
    return {
        kind: tuple(name for name in players.names if set(players.members(name)) & set(columns))
        for kind, columns in modalities(data).items()
    }


def _shaped(values: Floats, slot: Slot, kind: str) -> Floats:
    """Over channels of a picture and the width of an embedding the contributions are added up."""
    shaped = values.reshape(len(values), *slot.shape)
    if kind == "image" and len(slot.shape) == 3:
        return np.asarray(shaped.sum(axis=1))
    return np.asarray(shaped.sum(axis=2)) if kind == "text" else shaped
