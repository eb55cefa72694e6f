"""A transformers folder as a text model: config.json, model.safetensors and the tokenizer; nothing is downloaded.

The library is in the extra ``[transformers]``. Only classes of the library itself are built, from safetensors weights:
code that comes with a folder is never run, and a pickle is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from audit.data import Columns
from audit.errors import ModelError, UnsafeModelError
from audit.models.base import Model
from audit.models.text import TextModel
from audit.models.torch import adapt
from audit.results import Scalar

CONFIG, WEIGHTS = "config.json", "model.safetensors"
LONGEST = 512  # tokens, where the model names no limit of its own
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


class Logits(torch.nn.Module):
    """A transformers classifier as ids and mask in, logits out."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.inner(input_ids=ids, attention_mask=mask).logits
        return out


def load_folder(
    folder: Path,
    *,
    classes: Sequence[Scalar] = (),
    output: str | None = None,
    device: str = "auto",
    multilabel: bool = False,
) -> Model:
    """The classifier (or, with output "value", the regressor) in a folder. ModelError says what is missing."""
    _require_files(folder)
    try:
        import transformers  # heavy, and in an extra
    except ImportError as error:
        raise ModelError(
            f"{folder.name} is a transformers model, which needs the extra: pip install 'assay[transformers]' ({error})"
        ) from error
    only_here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **only_here)
        kind = transformers.AutoModelForSequenceClassification
        inner = kind.from_pretrained(folder, use_safetensors=True, **only_here).eval()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder.name} cannot be read as a text classifier: {str(error).splitlines()[0]}") from error
    names = tuple(classes) or _names(inner.config)
    meaning: Any = output or ("value" if inner.config.num_labels == 1 and not classes else "logit")
    text = _text_model(inner, tokenizer, () if meaning == "value" else names, meaning)
    return adapt(text, device=device, multilabel=multilabel)


def _require_files(folder: Path) -> None:
    if not (folder / CONFIG).is_file():
        raise ModelError(f"{folder} holds no {CONFIG}: give a folder that save_pretrained wrote")
    if (folder / WEIGHTS).is_file():
        return
    pickles = [p.name for p in folder.iterdir() if p.suffix in PICKLED]
    if pickles:
        raise UnsafeModelError(
            f"{folder} holds its weights as a pickle ({pickles[0]}), whose loading would run code: "
            "save them again with model.save_pretrained(folder, safe_serialization=True)"
        )
    raise ModelError(f"{folder} holds no {WEIGHTS}: give a folder that save_pretrained wrote")


def _names(config: Any) -> tuple[str, ...]:
    return tuple(str(config.id2label[i]) for i in range(config.num_labels))


def _text_model(inner: torch.nn.Module, tokenizer: Any, names: Sequence[Scalar], output: Any) -> TextModel:
    module = Logits(inner)
    longest = min(int(getattr(inner.config, "max_position_embeddings", LONGEST)), LONGEST)

    def ids(columns: Columns) -> Any:
        return tokenizer(
            _texts(columns),
            padding=True,
            truncation=True,
            max_length=longest,
            return_tensors="pt",
            padding_side="right",
        )

    def encode(columns: Columns) -> tuple[torch.Tensor, ...]:
        found = ids(columns)
        return found["input_ids"], found["attention_mask"]

    def tokens(columns: Columns) -> list[list[str]]:
        found = ids(columns)
        lengths = found["attention_mask"].sum(dim=1).tolist()
        rows = zip(found["input_ids"].tolist(), lengths, strict=True)
        return [tokenizer.convert_ids_to_tokens(row[:length]) for row, length in rows]

    table: Any = inner.get_input_embeddings()  # type: ignore[operator]
    where = next(name for name, part in module.named_modules() if part is table)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    return TextModel(module, encode, tokens, names, output, embedding=where, padding=padding)


def _texts(columns: Columns) -> list[str]:
    if len(columns) != 1:
        raise ModelError(
            f"a text classifier reads one column of text, got {', '.join(columns)}: name it under features"
        )
    return ["" if text is None else str(text) for text in next(iter(columns.values())).tolist()]
