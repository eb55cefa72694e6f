"""Which tokens of a text speak for the predicted class: integrated gradients of embeddings, and tokens left out.

Token ids have no gradients; their embeddings have (Sundararajan et al., ICML 2017, section 5). A token's attribution is
the sum over its embedding. Two baselines, the mean embedding and the padding token, and ablation of tokens and of whole
words as a second family that needs no gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import ModelError, Unavailable
from audit.models import Differentiable, Embedder, Model
from audit.stats import generator

from .maps import MapExplanation, Maps
from .network import BATCHED, Network, Tensors, preflight, steadily_encoded
from .path_maps import ablation, integrated, path_from, quick
from .replaced import Replaced
from .subject import Method, Subject
from .trust import assess
from .trust_grades import Rules

BACKGROUND_ROWS = 100
CONTINUES = "##"  # WordPiece: the token goes on with the word before it
STARTS = ("\u2581", "\u0120")  # SentencePiece and byte-level BPE: the token starts a word


@dataclass(frozen=True, slots=True, kw_only=True)
class TextExplanation(MapExplanation):
    """n texts as their tokens, padding left away; maps have shape (n, length), 0 beyond a text's end."""

    tokens: tuple[tuple[str, ...], ...]


def explain_text(
    model: Model, data: Dataset, *, background: Dataset | None = None, rules: Rules | None = None, seed: int
) -> TextExplanation:
    """Maps of every row of ``data`` (a few: take them first). Unavailable unless the model is an Embedder."""
    if not isinstance(model, Embedder) or not isinstance(model, Differentiable):
        why = "has no embedding layer that tokens are looked up in"
        raise Unavailable("not_applicable", f"{model.name} {why}", "give audit.models.text.TextModel, or a black box")
    from .untouched import untouched

    source = background or data
    order = generator(seed, "attribution.text_background").permutation(source.n)[:BACKGROUND_ROWS]
    plain = Network.of(model)
    with untouched(plain.module):
        network = Network(module=Replaced(plain.module, model.embedding), output=plain.output, classes=plain.classes)
        rows, usual = (looked_up(model, network, part) for part in (data, source.take(np.sort(order))))
        preflight(network, usual.inputs)
        answers = preflight(network, rows.inputs)
        _require_padding_unseen(model, network, data, rows, answers)
        targets = network.predicted(answers)
        _, typical = network.usual(network.answers(usual.inputs), targets)
        subject = text_subject(network, rows, usual, targets)
        maps, methods = _maps(subject, typical, rows.tokens)
        trust = () if rules is None else assess(subject, methods, maps, rules, seed)
        output = subject.outputs().numpy()
    return TextExplanation(
        tokens=rows.tokens,
        targets=tuple(network.classes[t] if network.classes else "value" for t in targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=tuple(maps),
        trust=trust,
        evaluations=sum(own.evaluations for own in maps),
        modality="text",
        feature=data.roles.features[0],
        unit=network.words[1],
        output=output,
        value_function="straight path from the baseline that the method names",
        background_n=len(usual.tokens),
        seed=seed,
    )


@dataclass(frozen=True, slots=True)
class TextRows:
    """What a module is given for some texts, its embeddings first; ``live`` (n, length) marks the tokens."""

    inputs: Tensors  # embeddings, then what the module takes itself
    padding: torch.Tensor  # its embedding, (width,)
    live: NDArray[np.bool_]
    tokens: tuple[tuple[str, ...], ...]


def looked_up(model: Any, network: Network, data: Dataset) -> TextRows:
    given = steadily_encoded(model, data.features)
    ids, tokens = given[0], model.tokens(data.features)
    if ids.is_floating_point() or ids.ndim != 2:
        raise Unavailable(
            "not_applicable", "encode does not return token ids of shape (n, length) first", "put them first"
        )
    longest = max(map(len, tokens), default=0)
    if len(tokens) != len(ids) or longest > ids.shape[1]:
        detail = f"tokens gives {len(tokens)} texts of up to {longest} tokens, encode {tuple(ids.shape)} ids"
        raise Unavailable("not_applicable", detail, "let tokens return one string for each id that is not padding")
    layer = network.module.module.get_submodule(model.embedding)  # type: ignore[union-attr]
    _require_known(ids, tokens, len(layer.get_parameter("weight")), model.padding)
    with torch.no_grad():
        embedded = layer(ids).detach()
        padding = layer(torch.tensor([model.padding], device=ids.device))[0].detach()
    live = np.arange(ids.shape[1])[None, :] < np.array([len(t) for t in tokens])[:, None]
    return TextRows((embedded, *given), padding, live, tokens)


def _require_padding_unseen(model: Any, network: Network, data: Dataset, rows: TextRows, answers: torch.Tensor) -> None:
    """Unavailable where the shortest text is answered otherwise without the padding that a longer one brings it."""
    lengths = rows.live.sum(axis=1)
    if not lengths.max() or lengths.min() == rows.live.shape[1]:
        return
    shortest = int(np.where(lengths > 0, lengths, lengths.max()).argmin())
    alone = network.answers(looked_up(model, network, data.take([shortest])).inputs)[0]
    difference = float((alone - answers[shortest]).abs().max())
    if difference > BATCHED * (1 + float(answers.abs().max())):
        detail = f"{model.name} returns another output for a text when a longer one stands beside it"
        remedy = "mask the padding that evens out the lengths of texts, or let encode pad every text to one length"
        raise Unavailable("withheld", f"{detail} (difference {difference:.3g})", remedy)


def _require_known(ids: torch.Tensor, tokens: Sequence[Sequence[str]], known: int, padding: int) -> None:
    """ModelError for ids that the embedding has not, and for tokens that stand elsewhere than their ids."""
    worst = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
    if not 0 <= worst < known:
        row = int((ids == worst).any(dim=1).nonzero()[0])
        raise ModelError(
            f"encode gives row {row} the token id {worst}, and the embedding holds 0 to {known - 1}: "
            "give unknown tokens the id that the model was trained with for them"
        )
    for row, own in enumerate(tokens):
        if bool((ids[row, len(own) :] != padding).any()):
            raise ModelError(
                f"encode gives row {row} ids beyond its {len(own)} tokens that are not the padding {padding}: padding "
                "stands on the right, tokens names every id before it, and padding in TextModel is its id"
            )


def text_subject(network: Network, rows: TextRows, usual: TextRows, targets: torch.Tensor) -> Subject:
    embedded, places = rows.inputs[0], np.arange(rows.live.shape[1])
    known = usual.inputs[0][torch.from_numpy(usual.live).to(embedded.device)]
    live = torch.from_numpy(rows.live).to(embedded.device)[:, :, None]
    # what stands beyond the end of a text is the same in every fill, so that nothing is attributed to it
    fills = (torch.where(live, fill.expand_as(embedded), embedded) for fill in (known.mean(dim=0), rows.padding))
    return Subject(
        network=network,
        inputs=embedded,
        targets=targets,
        units=torch.from_numpy(places)[:, None].expand(embedded.shape[1:]),
        places=places,
        fills=tuple(fills),
        spread=live * known.std(dim=0, correction=0) if len(known) > 1 else torch.zeros_like(embedded),
        live=rows.live,
        others=rows.inputs[1:],
    )


def _maps(
    subject: Subject, typical: torch.Tensor, tokens: tuple[tuple[str, ...], ...]
) -> tuple[list[Maps], list[Method]]:
    maps, methods = [], []
    for k, name in enumerate(("the mean embedding", "the padding token")):
        along = path_from(subject, subject.fills[k], typical)
        own = integrated(subject, along, typical, f"integrated gradients from {name}")
        maps.append(own)
        methods.append(Method(short=own.short, family=own.family, make=quick(k)))
    words = word_numbers(tokens, subject.count)
    groups = {"token ablation": np.tile(np.arange(subject.count), (subject.n, 1)), "word ablation": words}
    if all((words[i][live] == np.arange(live.sum())).all() for i, live in enumerate(subject.live)):
        del groups["word ablation"]  # every token is a word
    for short, group in groups.items():
        maps.append(ablation(subject, group, f"{short} (the mean embedding in its place)", short))
        methods.append(
            Method(short=short, family="ablation", make=lambda s, group=group: ablation(s, group, "", "").values)  # type: ignore[misc]
        )
    return maps, methods


def word_numbers(tokens: tuple[tuple[str, ...], ...], length: int) -> NDArray[np.int64]:
    """The number of the word that each token belongs to, (n, length); padding is a word of its own."""
    numbers = np.tile(np.arange(length), (len(tokens), 1))
    marked = any(token.startswith(STARTS) for row in tokens for token in row)
    for i, row in enumerate(tokens):
        word = -1
        for j, token in enumerate(row):
            goes_on = not token.startswith(STARTS) if marked else token.startswith(CONTINUES)
            word = word if goes_on and word >= 0 else j
            numbers[i, j] = word
    return numbers
