"""The text of a first audit.toml: what is known is written, what is guessed says so, what is left stands commented."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from audit.cli import _candidates as guess
from audit.data.task import decide_positive
from audit.errors import AuditError

KEY = 9  # width of the keys of a table
MOST_LABELS = (2, 4)  # columns of 0 and 1 that are enough to be labels, and that are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was looked at. ``features`` and ``classes`` are the model's, None and empty where it was not opened."""

    model: Path | None
    data: Path
    train: Path | None
    table: pa.Table
    features: tuple[str, ...] | None = None
    classes: tuple[str, ...] = ()
    unopened: str = ""  # why the model could not be asked
    target: str = ""  # as the user says


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    text: str
    said: tuple[str, ...]  # what was chosen and on what ground
    to_fill: tuple[str, ...]  # lines that a person must fill before the audit can be made


def draft(seen: Seen, out: Path) -> Draft:
    """The file for ``out``; paths in it are relative to where it will lie."""
    said: list[str] = []
    to_fill: list[str] = []
    name = (seen.model or seen.data).resolve().stem
    parts = [
        ["# What is audited, and by which limits. Change a line, then: audit check, audit run"],
        ["schema  = 1", f"name    = {quoted(name[:100])}", 'purpose = ""  # one sentence: what is decided, about whom'],
        _model(seen, out, to_fill),
        _test(seen, out, said, to_fill),
        _train(seen, out),
        _columns(seen),
        _rest(),
    ]
    text = "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"
    return Draft(text=text, said=tuple(said), to_fill=tuple(to_fill))


def quoted(text: object) -> str:
    """A TOML string; also fit for a comment, where a line break would end it."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(names: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, names)) + "]"


def _line(key: str, value: str, comment: str = "", *, off: bool = False) -> str:
    line = f"{'# ' if off else ''}{key:<{KEY}} = {value}"
    return f"{line}  # {comment}" if comment else line


def _path(path: Path, out: Path) -> str:
    return quoted(Path(os.path.relpath(path.resolve(), out.resolve().parent)).as_posix())


def _model(seen: Seen, out: Path, to_fill: list[str]) -> list[str]:
    if seen.model is None:
        return ["# no [model]: the predictions that the data hold are audited"]
    lines = ["[model]", _line("path", _path(seen.model, out))]
    suffix = seen.model.suffix.lower()
    if suffix == ".safetensors":
        lines.append(_line("factory", '"package.module:build"', "the function that builds the network", off=True))
        to_fill.append("factory in [model]: the function that builds the network")
    if suffix in {".safetensors", ".onnx"}:
        lines.append(_line("output", '"logit"', 'what it returns: "logit", "probability" or "value"', off=True))
        lines.append(_line("classes", "[]", "name of each output, in order", off=True))
        to_fill.append("output and classes in [model]: what the network returns")
    if seen.unopened:
        lines.append(f"# the model was not opened: {quoted(seen.unopened)}")
        to_fill.append(f"[model]: {seen.unopened}")
    lines.append(_line("threshold", "0.5", "the deployed decision threshold; default: the model's own", off=True))
    return lines


def _test(seen: Seen, out: Path, said: list[str], to_fill: list[str]) -> list[str]:
    lines = ["[data.test]", _line("path", _path(seen.data, out))]
    taken: list[str] = []
    if seen.model is None:
        lines += _predictions(seen, taken, said, to_fill)
    lines += _target(seen, taken, said, to_fill)
    for column in guess.ids(seen.table)[:1]:
        if column not in taken:
            lines.append(_line("id", quoted(column), "not a feature"))
            taken.append(column)
    if seen.model is not None and seen.features is None:
        free = [name for name in seen.table.column_names if name not in taken]
        shown = listed(free) if len(free) <= 40 else listed(free[:3]).replace("]", ", ...]")
        lines.append(
            _line("features", shown, "what the model takes, in its order; default: every other column", off=True)
        )
    return [*lines, *_groups(seen, taken, said)]


def _predictions(seen: Seen, taken: list[str], said: list[str], to_fill: list[str]) -> list[str]:
    score, decision = guess.scores_of(seen.table), guess.decisions_of(seen.table)
    lines = []
    if score.chosen and score.chosen != seen.target:
        lines.append(_line("score", quoted(score.chosen), "higher means the positive class is likelier"))
        within = guess.lies_within_one(seen.table, score.chosen)
        words = "a score at or above it counts as positive" + ("; default: 0.5" if within else "")
        lines.append(_line("threshold", "0.5" if within else "0", words, off=True))
        said.append(f"score: {quoted(score.chosen)}, by its name")
        taken.append(score.chosen)
    if decision.chosen and decision.chosen != seen.target:
        lines.append(_line("prediction", quoted(decision.chosen), "what was decided"))
        said.append(f"prediction: {quoted(decision.chosen)}, by its name")
        taken.append(decision.chosen)
    if not lines:
        candidates = (*score.candidates, *decision.candidates)
        lines.append(_line("score", quoted(candidates[0] if candidates else "..."), _among(candidates), off=True))
        to_fill.append(f"score or prediction in [data.test]: {_among(candidates)}")
    return lines


def _among(candidates: Sequence[str]) -> str:
    return f"candidates: {', '.join(map(quoted, candidates[:8]))}" if candidates else "no column looks like it"


def _target(seen: Seen, taken: list[str], said: list[str], to_fill: list[str]) -> list[str]:
    found = guess.target_of(seen.table, seen.features, seen.classes, taken)
    chosen = seen.target or found.chosen
    if not chosen:
        to_fill.append(f"target in [data.test]: {_among(found.candidates)}")
        first = found.candidates[0] if found.candidates else "..."
        return [_line("target", quoted(first), _among(found.candidates), off=True), *_several_labels(seen, taken)]
    said.append(f"target: {quoted(chosen)}, {'as you say' if seen.target else found.why}")
    taken.append(chosen)
    return [
        _line("target", quoted(chosen), "the truth that predictions are held against"),
        *_positive(seen, chosen, to_fill),
    ]


def _several_labels(seen: Seen, taken: Sequence[str]) -> list[str]:
    """How a task of several labels is written, where two columns or more could be labels. None is taken for one."""
    free = [name for name in guess.held_or_not(seen.table) if name not in (*taken, *(seen.features or ()))]
    if len(free) < MOST_LABELS[0]:
        return []
    listing = listed(free[: MOST_LABELS[1]])
    lines = [_line("target", listing, "several labels a row: a list of 0/1 columns, one a label", off=True)]
    if seen.model is None:
        lines.append(_line("scores", "[]", "their probabilities, one column a label, in the same order", off=True))
    return lines


def _positive(seen: Seen, target: str, to_fill: list[str]) -> list[str]:
    levels = guess.facts(seen.table, target).levels or ()
    classes = seen.classes or levels
    if len(classes) != 2:
        return []
    try:
        positive = decide_positive(None, classes, target)
    except AuditError:
        to_fill.append(f"positive in [data.test]: {' or '.join(map(quoted, classes))}")
        words = f"which value a score is about: {' or '.join(map(quoted, classes))}"
        return [_line("positive", quoted(classes[-1]), words, off=True)]
    value = positive if positive in {"1", "true"} else quoted(positive)
    return [
        _line("positive", value, "the value that a score is about"),
        _line("favourable", value, "the outcome people want, if it is another", off=True),
    ]


def _groups(seen: Seen, taken: Sequence[str], said: list[str]) -> list[str]:
    found = guess.groups_of(seen.table, taken)
    names = (*found.by_name, *found.by_levels)
    ground = "; ".join(
        f"{words}: {', '.join(map(quoted, columns))}"
        for words, columns in (("by name", found.by_name), ("by few levels", found.by_levels))
        if columns
    )
    said.append(f"groups: none was chosen; candidates {ground or 'are not to be seen'}")
    listing = listed(found.by_name or names[:2] or ("column",))
    return [
        "# No group was chosen: who could be treated unfairly is for you to say.",
        _line("groups", listing, f"candidates {ground or 'were not found'}", off=True),
    ]


def _train(seen: Seen, out: Path) -> list[str]:
    if seen.train is not None:
        return ["[data.train]  # opens the checks of leakage and drift", _line("path", _path(seen.train, out))]
    return ["# [data.train]  # opens the checks of leakage and drift", _line("path", '"train.parquet"', off=True)]


def _columns(seen: Seen) -> list[str]:
    binned = guess.many_numbers(seen.table, guess.groups_of(seen.table, ()).by_name)
    picture = guess.picture_of(seen.table.column_names)
    if not binned and picture is None:
        return []
    lines = [
        f"# {quoted(name)} = {{ bins = [25, 40, 60] }}  # to be a group, a number needs bins" for name in binned[:3]
    ]
    if picture is not None:
        pattern, side = picture
        shape = f"[1, {side}, {side}]"
        lines.append(f'# picture = {{ kind = "image", from = {quoted(pattern)}, shape = {shape} }}')
    return ["# [columns]", *lines]


def _rest() -> list[str]:
    return [
        "# Without limits of your own the default pack judges. One of your own reads:",
        "# [[limit]]",
        '# measure = "true_positive_rate"',
        '# by      = ["sex"]',
        '# compare = "difference"',
        "# max     = 0.10",
        '# why     = "..."',
        "",
        "[evidence]",
        'rows = "none"  # whether single rows may be stored and shown: "none", "sample" or "all"',
    ]
