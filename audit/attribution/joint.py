"""Several inputs of a network as one: what gradients, covers and trust tests need of a model that reads many things.

The tensors that a path may run along are laid side by side in one row of numbers and cut apart again inside the module.
Each number belongs to the user's column that it is made from, found by changing that column alone, and to a unit that
can be covered: a patch, a window, a token, or a column of the table. Columns that the user groups are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Columns, Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Embedder

from .network import Network, Tensors, shown_name, steadily_encoded
from .players import Players
from .replaced import Replaced
from .series import window_numbers
from .subject import grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One tensor along which paths run: which of the module's inputs it is, its shape in a row, and the column that
    alone fills it; "" where several columns do."""

    place: int
    shape: tuple[int, ...]
    dtype: torch.dtype
    column: str

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


class Joined(torch.nn.Module):
    """The module as a function of one row of numbers and of the inputs that stay as they are."""

    def __init__(self, module: torch.nn.Module, slots: tuple[Slot, ...]) -> None:
        super().__init__()
        self.module, self.slots, self.audited = module, slots, shown_name(module)

    def forward(self, joined: torch.Tensor, *fixed: torch.Tensor) -> Any:
        pieces = joined.split([slot.size for slot in self.slots], dim=1)
        inputs = list(fixed)
        for slot, piece in zip(self.slots, pieces, strict=True):
            inputs.insert(slot.place, piece.reshape(-1, *slot.shape).to(slot.dtype))
        return self.module(*inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Rows 0..n-1 and background rows after them. ``numbers`` (rows, D), ``owner`` (D,) the place of each number's
    column or group in ``columns``, -1 for none; ``tokens`` are those of the column ``text``, padding left away."""

    network: Network
    slots: tuple[Slot, ...]
    numbers: torch.Tensor
    fixed: Tensors
    columns: tuple[str, ...]
    owner: NDArray[np.int64]
    text: str
    tokens: tuple[tuple[str, ...], ...]
    padding: torch.Tensor  # its embedding; empty where there is no text

    def spans(self) -> list[tuple[Slot, slice]]:
        """Which of the numbers each tensor holds."""
        ends = np.cumsum([0, *(slot.size for slot in self.slots)])
        return [(slot, slice(int(a), int(b))) for slot, a, b in zip(self.slots, ends, ends[1:], strict=False)]


def joint(model: Differentiable, data: Dataset, background: Dataset, *, apart: bool = True) -> Joint:
    """The inputs of both tables. Unavailable where none can carry a path and, if columns must be told ``apart``, where
    a number is made of several of them; else the numbers belong to no column but the text."""
    columns = {name: np.concatenate([data.features[name], background.features[name]]) for name in data.features}
    plain, text = Network.of(model), _text(model, data)
    inputs = _tensors(model, columns)
    players = Players.in_data(data)
    asked = players.names if apart else (text,) if text else ()
    changed = {name: _changes(inputs, _tensors(model, _rolled(columns, players.members(name)))) for name in asked}
    module: torch.nn.Module = plain.module
    padding = torch.zeros(0)
    tokens: tuple[tuple[str, ...], ...] = ()
    if text and isinstance(model, Embedder):
        module, tokens = Replaced(module, model.embedding), model.tokens(columns)
        layer: Any = plain.module.get_submodule(model.embedding)
        with torch.no_grad():
            embedded, padding = layer(inputs[0]), layer(torch.tensor([model.padding], device=inputs[0].device))[0]
        inputs = (embedded.detach(), *inputs)
        changed = {name: (torch.full(embedded.shape[1:], name == text), *seen) for name, seen in changed.items()}
    places = [i for i, t in enumerate(inputs) if t.is_floating_point() and (not i or not _follows(changed, text, i))]
    slots = tuple(_slot(i, inputs[i], {name: seen[i] for name, seen in changed.items()}) for i in places)
    if not slots:
        raise Unavailable("not_applicable", "the model takes whole numbers only", "explain it as a black box")
    masks = [torch.cat([seen[i].reshape(-1) for i in places]) for seen in changed.values()]
    owner = torch.stack(masks) if masks else torch.zeros((1, sum(slot.size for slot in slots)), dtype=torch.bool)
    if bool((owner.sum(dim=0) > 1).any()):
        detail = "encode mixes several columns into one number, so gradients cannot be told apart by column"
        raise Unavailable("not_applicable", detail, "explain it as a black box, or move the mixing into the module")
    return Joint(
        network=Network(module=Joined(module, slots), output=plain.output, classes=plain.classes),
        slots=slots,
        numbers=torch.cat([inputs[i].reshape(len(inputs[i]), -1) for i in places], dim=1),
        fixed=tuple(t for i, t in enumerate(inputs) if i not in places),
        columns=players.names,
        owner=torch.where(owner.any(dim=0), owner.int().argmax(dim=0), -1).numpy(),
        text=text,
        tokens=tokens,
        padding=padding,
    )


def _text(model: Differentiable, data: Dataset) -> str:
    """The column of text that is looked up in an embedding; "" where there is none. Unavailable for any other text."""
    found = [name for name in data.roles.features if data.column(name).kind == "text"]
    if not found:
        return ""
    if len(found) > 1 or not isinstance(model, Embedder):
        detail = f"there is no embedding layer for {', '.join(found)}"
        raise Unavailable("not_applicable", detail, "give audit.models.text.TextModel with one text column")
    return found[0]


def _tensors(model: Differentiable, columns: Columns) -> Tensors:
    tensors = steadily_encoded(model, columns)
    for tensor in tensors:
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            detail = "the model is given NaN or infinite inputs, between which there is no straight path"
            raise Unavailable("not_applicable", detail, "explain it as a black box, or impute missing values in encode")
    return tuple((t.float() if t.dtype in {torch.float16, torch.bfloat16} else t).detach() for t in tensors)


def _rolled(columns: Mapping[str, NDArray[Any]], names: tuple[str, ...]) -> Columns:
    return {**columns, **{name: np.roll(columns[name], 1, axis=0) for name in names}}


def _changes(inputs: Tensors, others: Tensors) -> Tensors:
    """Which numbers of a row change anywhere, a mask for each tensor."""
    if [t.shape for t in inputs] != [t.shape for t in others]:
        detail = "encode returns another shape when one column changes"
        raise Unavailable("not_applicable", detail, "let encode return a fixed number of inputs a row")
    return tuple((a != b).any(dim=0).cpu() for a, b in zip(inputs, others, strict=True))


def _follows(changed: Mapping[str, Tensors], text: str, place: int) -> bool:
    """Whether a tensor goes with the text (its mask): it stays as it is while the embeddings move."""
    return bool(text) and bool(changed[text][place].any())


def _slot(place: int, tensor: torch.Tensor, changed: Mapping[str, torch.Tensor]) -> Slot:
    owners = [name for name, seen in changed.items() if bool(seen.any())]
    column = owners[0] if len(owners) == 1 else ""
    return Slot(place=place, shape=tuple(tensor.shape[1:]), dtype=tensor.dtype, column=column)


def units(found: Joint, kinds: Mapping[str, str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The unit of every number, (D,), and the column of every unit; "" for numbers that no column fills."""
    names: list[str] = []
    whole: dict[str, int] = {}
    parts = []
    for slot, span in found.spans():
        cut = _cut(slot, kinds.get(slot.column, ""))
        if cut is not None:
            parts.append(cut.reshape(-1) + len(names))
            names += [slot.column] * int(cut.max() + 1)
            continue
        owned = [found.columns[i] if i >= 0 else "" for i in found.owner[span]]
        for name in dict.fromkeys(owned):
            if name not in whole:
                whole[name] = len(names)
                names.append(name)
        parts.append(np.array([whole[name] for name in owned], dtype=np.int64))
    return np.concatenate(parts), tuple(names)


def _cut(slot: Slot, kind: str) -> NDArray[np.int64] | None:
    """The units inside a tensor that one picture, text, series or sound fills; None for any other."""
    if kind == "image" and len(slot.shape) == 3:
        return np.broadcast_to(grid(*slot.shape[1:]), slot.shape)
    if kind == "text":
        return np.broadcast_to(np.arange(slot.shape[0])[:, None], slot.shape)
    if kind in {"series", "audio"} and len(slot.shape) in {1, 2}:
        return window_numbers(slot.shape[0], slot.shape[1] if len(slot.shape) == 2 else 1).reshape(slot.shape)
    return None
