"""audit.toml held against the files it names, with no model loaded: what would run, what not, what it could show."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from audit import plan as planning
from audit.case import DATASETS, Question, data_spec, question_of, refuse_unknown_region
from audit.cli._paired_power import PairedPower, is_change, plan_paired
from audit.cli._params import unanswered
from audit.cli._power import LimitPower, plan_power
from audit.data import Dataset
from audit.data.dataset import Column, shown
from audit.data.feature_groups import feature_groups
from audit.data.opening import checked_roles, default_features, logical_columns
from audit.data.reading import files, read_table, schema
from audit.data.task import target_facts
from audit.energy.hardware import unknown_hardware
from audit.errors import DataError, ModelError, SpecError, nearest
from audit.inputs.training_evidence import refuse_bad_record
from audit.labels import label_data, label_question
from audit.models.loading import glance
from audit.plan import Facts, Item, Law
from audit.policy.limits import Limit, demanded
from audit.policy.packs import Pack, waivers
from audit.policy.waivers import check_waivers, unmatched
from audit.registry import CLASS, Registry
from audit.spec import Loaded, ModelSpec, relative


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """All that can be known of an audit before it runs. ``faults`` keep it from being made or judged."""

    loaded: Loaded
    question: Question
    tables: Mapping[str, Dataset]  # of the test data with the columns that the plan reads, of others with none
    rows: Mapping[str, int | None]  # None: not counted, to be fast
    law: Law
    items: tuple[Item, ...]
    power: tuple[LimitPower, ...]
    paired: tuple[PairedPower, ...]  # of limits on a change between two models
    unplanned: tuple[str, ...]  # such limits whose rows only the models' own decisions tell
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def examine(loaded: Loaded, registry: Registry, policy: Pack | None) -> Examined:
    """SpecError, DataError or ModelError, each with its fix, for whatever cannot even be planned."""
    spec = loaded.spec
    law = planning.law_of(loaded, registry.notes_of(spec.labels), policy)
    today = datetime.now(UTC).date()
    check_waivers(waivers(spec), spec.gate, today)
    if spec.model is not None:
        _refuse_model(spec.to_load(spec.model), loaded.root)
        _refuse_baseline(spec.model, loaded.root)
    refuse_unknown_region(spec)
    if not (missing := _files_missing(loaded)):
        refuse_bad_record(spec.training, loaded.root)
    tables = _tables(loaded, law)
    test = tables["test"]
    question = question_of(spec, test, _known_classes(spec.model))
    feature_groups(spec.feature_groups, test)
    items = planning.make(registry, _facts(loaded, tables, question), law.limits)
    faults = [
        *_groups_missing(law.limits, test, loaded),
        *(_unanswerable(law.limits, items, registry) or unanswered(law.limits, spec, question.classes, registry.notes)),
    ]
    answerable = [limit for limit in law.limits if set(limit.by) <= set(test.table.column_names)]
    stats = spec.stats
    paired = tuple(plan_paired(answerable, test, question, min_n=stats.min_n, confidence=stats.confidence))
    return Examined(
        loaded=loaded,
        question=question,
        tables=tables,
        rows={name: _rows(data, loaded.root) for name, data in tables.items()},
        law=law,
        items=tuple(items),
        power=tuple(
            power
            for limits, data, asked in _questions(answerable, test, question)
            for power in plan_power(
                limits,
                data,
                asked,
                min_n=spec.stats.min_n,
                underpowered=spec.gate.underpowered,
                notes=registry.notes,
                bounds=spec.data.test.missing == "bounds",
            )
        ),
        paired=paired,
        unplanned=tuple(x.id for x in answerable if is_change(x) and x.id not in {plan.limit.id for plan in paired}),
        faults=(*faults, *missing),
        warnings=(*unmatched(waivers(spec), law.limits, today), *_cautions(loaded, test)),
    )


def _questions(
    limits: list[Limit], test: Dataset, question: Question
) -> Iterator[tuple[list[Limit], Dataset, Question]]:
    """The limits with the question that they are about: in a multilabel task, each label is one of its own."""
    if question.task != "multilabel":
        yield limits, test, question
        return
    for at, label in enumerate(question.classes):
        own = [limit for limit in limits if limit.params.get(CLASS) == label]
        asked = label_question(test, at)  # also where no limit asks: a column that is no label is found here
        yield own, label_data(test, at), asked


def _refuse_model(model: ModelSpec, root: Path) -> None:
    """What would be refused on loading and can be told from the spec and the first bytes."""
    glance(model.path, root)
    network = model.path.lower().endswith(".safetensors")
    if network and model.factory is None:
        raise ModelError(f'{model.path} holds weights only: add factory = "package.module:build" to [model]')
    if model.path.lower().endswith(".onnx"):
        _refuse_onnx(model)
    if model.factory is not None:
        where, _, function = model.factory.partition(":")
        if not where or not function:
            raise ModelError(f'factory must read "package.module:build", got "{model.factory}"')
        if where.endswith(".py") and not relative(root, where).exists():
            raise ModelError(f'factory "{model.factory}": {where} does not exist beside audit.toml')
        if not where.endswith(".py") and importlib.util.find_spec(where.split(".")[0]) is None:
            raise ModelError(f'factory "{model.factory}" cannot be imported: install the package it is in')


def _refuse_baseline(model: ModelSpec, root: Path) -> None:
    if (baseline := model.baseline_model) is None:
        return
    try:
        _refuse_model(baseline, root)
    except ModelError as error:
        raise type(error)(f"[model] baseline: {error}") from error


def _refuse_onnx(model: ModelSpec) -> None:
    if importlib.util.find_spec("onnxruntime") is None:
        raise ModelError("ONNX models need onnxruntime: pip install 'assay[onnx]'")
    if model.output is None:
        raise ModelError('say what the ONNX model returns: output = "logit", "probability" or "value" in [model]')
    if model.output != "value" and not model.classes:
        raise ModelError("say what the outputs are: classes = [...] in [model], one name an output, in order")


def _known_classes(model: ModelSpec | None) -> tuple[str, ...] | None:
    if model is None:
        return None
    return () if model.output == "value" else tuple(map(shown, model.classes)) or None


def _tables(loaded: Loaded, law: Law) -> dict[str, Dataset]:
    tables = {}
    for name in DATASETS:
        part = data_spec(loaded.spec, name)
        if part is None:
            continue
        path = relative(loaded.root, part.path)
        stored = schema(path)
        _refuse_doubles(stored, part.path)
        logical = logical_columns(stored, loaded.spec.columns, part.path, loaded.root)
        roles = checked_roles(name, part, logical, part.path)
        filled = {field.name for field in stored if not pa.types.is_null(field.type)}
        numbers = (roles.score, *roles.scores, roles.baseline.score, *roles.baseline.scores, roles.weight)
        _refuse_words(name, {c: logical[c] for c in logical if c in filled}, numbers, part.path)
        empty = pa.Table.from_batches([], schema=stored)  # empty_table() would import pandas
        tables[name] = Dataset(name=name, table=empty, columns=logical, roles=roles, path=part.path)
        if name == "test":
            tables[name] = replace(tables[name], table=_wanted(path, tables[name], law.limits))
    return tables


def _wanted(path: Path, data: Dataset, limits: Iterable[Limit]) -> pa.Table:
    """The columns that the plan needs: target, decisions, groups. Rows of the others stay on the disk."""
    roles = data.roles
    named = [*roles.truths, roles.prediction, *roles.groups, *(column for limit in limits for column in limit.by)]
    stored = list(data.table.column_names)
    columns = [name for name in dict.fromkeys(named) if name in stored] or stored[:1]
    table = read_table(path, columns)
    if table.num_rows == 0:
        raise DataError(f"{data.path} has no rows: an audit needs at least one")
    return table


def _refuse_words(name: str, logical: Mapping[str, Column], columns: Iterable[str], path: str) -> None:
    for column in columns:
        if column in logical and logical[column].kind != "number":
            raise DataError(
                f'[data.{name}] "{column}" of {path} must hold numbers, and it holds {logical[column].kind}'
            )


def _refuse_doubles(stored: pa.Schema, path: str) -> None:
    twice = sorted({name for name in stored.names if stored.names.count(name) > 1})
    if twice:
        raise DataError(f'{path} has two columns named "{twice[0]}": rename one')


def _rows(data: Dataset, root: Path) -> int | None:
    """Counted where it costs nothing: the rows that were read, or what Parquet says of itself."""
    if data.name == "test":
        return data.n
    found = files(relative(root, data.path))
    if any(file.suffix.lower() != ".parquet" for file in found):
        return None
    return sum(int(pyarrow.parquet.read_metadata(file).num_rows) for file in found)


def _facts(loaded: Loaded, tables: Mapping[str, Dataset], question: Question) -> Facts:
    test, has_model = tables["test"], loaded.spec.model is not None
    features = test.roles.features or (() if has_model else default_features(test))
    return Facts(
        task=question.task,
        has=planning.present(loaded.spec, has_model=has_model, names=tables),
        labels=loaded.spec.labels,
        roles=planning.roles_named(test.roles),
        kinds=frozenset(test.columns[name].kind for name in features),
    )


def _groups_missing(limits: Iterable[Limit], test: Dataset, loaded: Loaded) -> list[str]:
    faults = []
    own = {column for limit in loaded.spec.limit for column in limit.by}
    for limit in limits:
        for column in limit.by:
            if column not in test.columns:
                faults.append(
                    f'{_where(limit)}by = "{column}": no such column in {test.path}{nearest(column, test.columns)}'
                )
            elif column not in test.roles.groups and column not in own and demanded(limit):
                faults.append(f'{limit.id} needs the groups of "{column}": add it to groups in [data.test]')
    return list(dict.fromkeys(faults))


def _unanswerable(limits: Iterable[Limit], items: Iterable[Item], registry: Registry) -> list[str]:
    """Limits that somebody wrote for this audit, and that its plan cannot answer."""
    kept_out = {(i.check.id, i.on, tuple(sorted(i.about.items()))): i.omission for i in items}
    faults = []
    for limit in limits:
        if limit.on not in DATASETS:
            raise SpecError(f'{_where(limit)}on = "{limit.on}"{nearest(limit.on, DATASETS)}: use {", ".join(DATASETS)}')
        check = registry.measures[limit.measure]
        plain = kept_out.get((check, limit.on, ()))
        omission = kept_out.get((check, limit.on, tuple(sorted(limit.params.items()))), plain)
        if omission is not None and demanded(limit) and limit.level != "record":
            faults.append(f"{_where(limit)}{limit.id} cannot be assessed: {omission.detail}; {omission.remedy}")
    return faults


def _where(limit: Limit) -> str:
    return f"{limit.source} line {limit.line}: " if limit.line else ""


def _files_missing(loaded: Loaded) -> list[str]:
    named = {
        "[training] record": (loaded.spec.training.record, "audit track"),
        "[gate] baseline": (loaded.spec.gate.baseline, "audit accept"),
    }
    return [
        f"{key}: {path} does not exist: write it with {command}, or take the line out"
        for key, (path, command) in named.items()
        if path is not None and not relative(loaded.root, path).exists()
    ]


def _cautions(loaded: Loaded, test: Dataset) -> list[str]:
    told = [
        f"every row has the same {column}: there is nothing to compare"
        for column in test.roles.groups
        if _is_plain(test.columns[column]) and len(test.codes(column).levels) < 2
    ]
    for target in test.roles.truths:
        if len(target_facts(test.stored(target)).levels or ("", "")) < 2:
            told.append(f'target "{target}" holds fewer than two values: most measures will be undefined')
    if not test.roles.groups:
        told.append("no group is named: nothing will be said about who is treated how (groups in [data.test])")
    spec = loaded.spec
    model, baseline = spec.model, spec.model.baseline_model if spec.model else None
    if model and baseline and relative(loaded.root, model.path) == relative(loaded.root, baseline.path):
        told.append(f"[model] baseline is the model itself, {model.path}: nothing can have changed")
    factories = dict.fromkeys(one.factory for one in (model, baseline) if one and ".py:" in (one.factory or ""))
    code = [*spec.checks, *factories]
    if spec.training.hardware is not None and (unknown := unknown_hardware(spec.training.hardware)):
        told.append(unknown)
    return told + [f"{name} is code beside audit.toml: it runs only with --allow-code" for name in code]


def _is_plain(column: Column) -> bool:
    return not column.sources
