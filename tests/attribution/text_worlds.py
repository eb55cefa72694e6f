"""Texts whose evidence is known, and small networks that read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from audit.data import Columns, Dataset
from audit.data.dataset import Column, Roles
from audit.models.text import TextModel

VOCABULARY = ["[PAD]", "good", "bad", "film", "the", "not", "##ly", "sad"]
LENGTH = 6
TEXTS = ["the good film", "bad film", "the sad ##ly bad film", "good good not bad the film", "film"]


def texts(rows: list[str] | None = None) -> Dataset:
    kinds = {"note": Column(name="note", kind="text")}
    table = pa.table({"note": pa.array(rows or TEXTS)})
    return Dataset(name="test", table=table, columns=kinds, roles=Roles(features=("note",)))


def tokens(columns: Columns) -> list[list[str]]:
    return [text.split() for text in columns["note"].tolist()]


def ids(columns: Columns) -> torch.Tensor:
    rows = [[VOCABULARY.index(t) for t in row] for row in tokens(columns)]
    return torch.tensor([row + [0] * (LENGTH - len(row)) for row in rows])


def with_mask(columns: Columns) -> tuple[torch.Tensor, ...]:
    found = ids(columns)
    return found, (found != 0).long()


class Adds(nn.Module):
    """The logit is the sum of a number for each token that is not padding: the truth is plain."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(len(VOCABULARY), 3, padding_idx=0)
        self.table.weight.data = torch.arange(24.0).reshape(8, 3) % 5 - 2
        self.table.weight.data[0] = 0
        self.head = nn.Linear(3, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(x)).sum(dim=1)


class Attends(nn.Module):
    """Positions, one layer of attention that leaves padding out, and the mean over the text."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words, self.places = nn.Embedding(8, 8), nn.Parameter(torch.randn(LENGTH, 8) * 0.1)
        self.mix = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        h = self.mix(self.words(x) + self.places, src_key_padding_mask=mask == 0)
        return self.head((h * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True))


def model(module: nn.Module, encode: Any = ids, **more: Any) -> TextModel:
    return TextModel(module, encode, tokens, **{"classes": ["no", "yes"], "output": "logit", **more})


def weights(module: Adds, row: str) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        values = module.head(module.table.weight)[:, 0].numpy()
    return np.array([values[VOCABULARY.index(t)] for t in row.split()])
