"""torch modules that read text: token ids through an embedding layer, with the tokens as a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from audit.data import Columns
from audit.errors import ModelError
from audit.models.base import Output
from audit.models.torch import TorchAdapter, TorchClassifier, TorchModel, TorchMultilabel, TorchRegressor

Tokens = Callable[[Columns], Sequence[Sequence[str]]]


class TextModel(TorchModel):
    """As TorchModel, for a module whose first input is token ids of shape (n, length).

    ``tokens`` gives the tokens of each row without padding, which stands on the right; ``embedding`` names the layer
    that the ids are looked up in (default: the only ``nn.Embedding``), ``padding`` the id of the padding token
    (default: the layer's own ``padding_idx``, or 0).
    """

    def __init__(
        self,
        module: torch.nn.Module,
        encode: Callable[[Columns], torch.Tensor | tuple[torch.Tensor, ...]],
        tokens: Tokens,
        classes: Sequence[str | int | float | bool] = (),
        output: Output | None = None,
        features: Sequence[str] | None = None,
        embedding: str = "",
        padding: int | None = None,
    ) -> None:
        super().__init__(module, encode, classes, output, features)
        self.tokens = tokens
        self.embedding = embedding or only_embedding(module)
        layer = _layer(module, self.embedding)
        own: int | None = layer.padding_idx
        self.padding = padding if padding is not None else own if own is not None else 0
        if not 0 <= self.padding < layer.num_embeddings:
            raise ModelError(f"padding must be the id of a token, 0 to {layer.num_embeddings - 1}, got {self.padding}")

    def finished(self, adapter: TorchAdapter) -> TorchAdapter:
        kind: type[TextRegressor | TextClassifier | TextMultilabel] = TextClassifier
        if not isinstance(adapter, TorchClassifier):
            kind = TextRegressor if isinstance(adapter, TorchRegressor) else TextMultilabel
        found = kind.__new__(kind)
        found.__dict__.update(adapter.__dict__)
        found.embedding, found.padding, found._tokens = self.embedding, self.padding, self.tokens
        return found


def only_embedding(module: torch.nn.Module) -> str:
    """The name of the module's one embedding layer. ModelError names them where there are several or none."""
    found = [name for name, part in module.named_modules() if isinstance(part, torch.nn.Embedding)]
    if len(found) != 1:
        several = f"has {len(found)} ({', '.join(found)})" if found else "has none"
        raise ModelError(f"a text model looks tokens up in an nn.Embedding, {type(module).__name__} {several}: name it")
    name: str = found[0]
    return name


def _layer(module: torch.nn.Module, name: str) -> torch.nn.Embedding:
    layer = dict(module.named_modules()).get(name)
    if not isinstance(layer, torch.nn.Embedding):
        known = [n for n, part in module.named_modules() if isinstance(part, torch.nn.Embedding)]
        raise ModelError(f'embedding = "{name}" is no nn.Embedding of the module: it has {", ".join(known) or "none"}')
    return layer


class _Text:
    """What makes an adapter an Embedder."""

    embedding: str
    padding: int
    _tokens: Tokens

    def tokens(self, columns: Columns) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(str(token) for token in row) for row in self._tokens(columns))


class TextClassifier(_Text, TorchClassifier):
    """A classifier of text."""


class TextRegressor(_Text, TorchRegressor):
    """A regressor of text."""


class TextMultilabel(_Text, TorchMultilabel):
    """A classifier that gives a text several labels."""
