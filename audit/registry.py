"""Which checks and inputs there are, found by walking files and reading their syntax trees; nothing is imported.

A check's path is its id. Third parties add a package through the entry-point groups ``audit.checks`` and
``audit.inputs``; a folder of the user's own joins with ``checks = [...]`` in audit.toml and ``--allow-code``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audit.errors import CheckError, SpecError, nearest
from audit.record import MeasureNote
from audit.results import Compare

COSTS = ("instant", "predict", "gradient", "timing", "replay", "retrain")
BETTER = ("higher", "lower", "none", "zero", "one")
COMPARED = ("_difference", "_ratio")
COMBINE = ("worst", "mean", "mean_gap")
PARAM_KINDS = ("float", "int", "str", "bool", "each")  # each: a name, without which the measure does not exist
GIVEN = ("case", "data", "seed", "level")  # by the engine itself
CLASS = "class"  # the parameter that names a class, or a label
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInfo:
    id: str  # "fairness.group_rates"
    family: str
    file: Path
    module: str  # dotted name, or "" for a file outside any package
    function: str
    cost: str
    inputs: tuple[str, ...]
    takes_params: bool
    measures: Mapping[str, MeasureNote]
    doc: str
    requires: Mapping[str, Any] = field(default_factory=dict)  # beside what its inputs require

    @property
    def summary(self) -> str:
        return self.doc.strip().splitlines()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputInfo:
    name: str
    file: Path
    module: str
    inputs: tuple[str, ...]
    requires: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    checks: Mapping[str, CheckInfo]
    inputs: Mapping[str, InputInfo]
    measures: Mapping[str, str] = field(default_factory=dict)  # measure -> id of its check

    @property
    def notes(self) -> Mapping[str, MeasureNote]:
        """What every measure is, by its name."""
        return {name: self.checks[check].measures[name] for name, check in self.measures.items()}

    def requirements(self, info: CheckInfo) -> Iterator[Mapping[str, Any]]:
        """What a case must hold for this check: what its inputs say, the deepest first, and what it says itself."""
        yield from (needed.requires for needed in self.closure(info.inputs))
        yield info.requires

    def is_of_one_label(self, info: CheckInfo) -> bool:
        """Whether a multilabel task asks it once for each label: it knows two classes, and not several labels."""
        tasks = [set(needed["tasks"]) for needed in self.requirements(info) if "tasks" in needed]
        return bool(tasks) and all("binary" in one and "multilabel" not in one for one in tasks)

    def notes_of(self, labels: Sequence[str]) -> Mapping[str, MeasureNote]:
        """What every measure is in a task of these labels: one of one label has the parameter ``class``."""
        if not labels:
            return self.notes
        single = {info.id for info in self.checks.values() if self.is_of_one_label(info)}
        return {
            name: replace(note, params={**note.params, CLASS: "str"}) if self.measures[name] in single else note
            for name, note in self.notes.items()
        }

    def closure(self, names: Iterable[str]) -> Iterator[InputInfo]:
        """These inputs and all that they are made of, each once, the deepest first."""
        seen: set[str] = set()

        def visit(name: str) -> Iterator[InputInfo]:
            if name in GIVEN or name in seen:
                return
            seen.add(name)
            if name not in self.inputs:
                raise CheckError(f'no input is named "{name}"{nearest(name, self.inputs)}')
            for inner in self.inputs[name].inputs:
                yield from visit(inner)
            yield self.inputs[name]

        for name in names:
            yield from visit(name)


def find(folders: Iterable[Path] = ()) -> Registry:
    """Every check and input of Assay, of installed packages, and of ``folders``."""
    checks = list(_checks_in(_HERE / "checks", "audit.checks", ""))
    inputs = list(_inputs_in(_HERE / "inputs", "audit.inputs"))
    for package, module, folder in _plugged("audit.checks"):
        checks += _checks_in(folder, module, package)
    for _, module, folder in _plugged("audit.inputs"):
        inputs += _inputs_in(folder, module)
    for folder in folders:
        if not folder.is_dir():
            raise SpecError(f"checks: {folder} is no folder")
        checks += _checks_in(folder, "", folder.name)
    return Registry(
        checks=_unique({c.id: c for c in checks}, checks),
        inputs=_unique_inputs(inputs),
        measures=_owners(checks),
    )


def load_check(info: CheckInfo) -> Callable[..., Any]:
    """Import the check's module, now that it is to run."""
    return getattr(_import(info.module, info.file), info.function)  # type: ignore[no-any-return]


def load_input(info: InputInfo) -> Callable[..., Any]:
    return getattr(_import(info.module, info.file), info.name)  # type: ignore[no-any-return]


def load_params(info: CheckInfo) -> type[Any]:
    """The check's ``Params`` dataclass."""
    return getattr(_import(info.module, info.file), "Params")  # type: ignore[no-any-return]  # noqa: B009


def _import(module: str, file: Path) -> Any:
    if module:
        return importlib.import_module(module)
    name = f"own_checks_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise CheckError(f"{file} cannot be imported")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # a dataclass looks its own module up there
    spec.loader.exec_module(loaded)
    return loaded


def _plugged(group: str) -> Iterator[tuple[str, str, Path]]:
    """(top package, dotted module, folder) of each entry point of ``group``, located without importing it."""
    for point in importlib.metadata.entry_points(group=group):
        top, *inner = point.value.split(".")
        spec = importlib.util.find_spec(top)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places or not (folder := Path(places[0]).joinpath(*inner)).is_dir():
            raise CheckError(f'entry point {group}: "{point.value}" of {point.name} is no installed package folder')
        yield top, point.value, folder


def _modules(folder: Path) -> Iterator[Path]:
    yield from (p for p in sorted(folder.rglob("*.py")) if not p.name.startswith("_"))


def _checks_in(folder: Path, module: str, package: str) -> Iterator[CheckInfo]:
    for file in _modules(folder):
        path = file.relative_to(folder).with_suffix("").parts
        info = _read_check(file, ".".join((*([package] if package else []), *path)), _dotted(module, path), package)
        if info is not None:
            yield info


def _inputs_in(folder: Path, module: str) -> Iterator[InputInfo]:
    for file in _modules(folder):
        tree = _tree(file)
        function = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == file.stem), None)
        if function is None:
            raise CheckError(f"{file} must define a function {file.stem}: a provider is named after its file")
        yield InputInfo(
            name=file.stem,
            file=file,
            module=_dotted(module, (file.stem,)),
            inputs=_parameters(function, file),
            requires=_literal(tree, "REQUIRES", file) or {},
        )


def _read_check(file: Path, name: str, module: str, package: str) -> CheckInfo | None:
    tree = _tree(file)
    marked = [(node, mark) for node in tree.body if isinstance(node, ast.FunctionDef) for mark in _marks(node)]
    if not marked:
        return None
    if len(marked) > 1:
        raise CheckError(f"{file} holds {len(marked)} checks: one file is one check")
    function, mark = marked[0]
    doc = ast.get_docstring(tree)
    if not doc:
        raise CheckError(f"{file} needs a module docstring: it is the check's documentation")
    arguments = _parameters(function, file)
    return CheckInfo(
        id=name,
        family=name.rpartition(".")[0].rpartition(".")[2] or name,
        file=file,
        module=module,
        function=function.name,
        cost=_cost(mark, file),
        inputs=tuple(a for a in arguments if a != "params"),
        takes_params="params" in arguments,
        measures=_measures(_literal(tree, "MEASURES", file), name, file, package),
        doc=doc,
        requires=_literal(tree, "REQUIRES", file) or {},
    )


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError) as error:
        raise CheckError(f"{file} is not Python: {error}") from error


def _parameters(function: ast.FunctionDef, file: Path) -> tuple[str, ...]:
    given = function.args
    if given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg:
        raise CheckError(f"{file}: {function.name} takes plain parameters only, no *, / or **")
    return tuple(argument.arg for argument in given.args)


def _cost(mark: ast.Call, file: Path) -> str:
    said = next((k.value for k in mark.keywords if k.arg == "cost"), None)
    cost = said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else None
    if cost not in COSTS:
        raise CheckError(f"{file}: @check needs cost = one of {', '.join(COSTS)}, written out, got {cost!r}")
    return cost


def _marks(node: ast.FunctionDef) -> Iterator[ast.Call]:
    for decorator in node.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and getattr(decorator.func, "id", getattr(decorator.func, "attr", "")) == "check"
        ):
            yield decorator


def _literal(tree: ast.Module, name: str, file: Path) -> Any:
    """The value of a module-level literal, or None where there is none."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(getattr(target, "id", "") == name for target in targets) and getattr(node, "value", None) is not None:
            try:
                return ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except (ValueError, TypeError) as error:
                raise CheckError(
                    f"{file}: {name} must be a literal, so that it can be read without importing"
                ) from error
    return None


def _measures(raw: Any, check: str, file: Path, package: str) -> dict[str, MeasureNote]:
    if not isinstance(raw, dict):
        raise CheckError(f"{file} needs MEASURES, a literal dictionary of what it measures")
    notes = {}
    for name, facts in raw.items():
        if package and not name.startswith(f"{package}."):
            raise CheckError(f'{file}: the measure "{name}" of another package must be named "{package}.{name}"')
        if isinstance(facts, dict) and "of" in facts:
            notes[name] = _named_comparison(name, facts, raw, check, file)
            continue
        keys = set(facts) if isinstance(facts, dict) else set()
        if {"unit", "better", "words"} - keys or keys - {"unit", "better", "words", "params"}:
            raise CheckError(f'{file}: MEASURES["{name}"] needs unit, better and words, and may have params')
        if name.endswith(COMPARED):
            raise CheckError(f'{file}: "{name}": only a named comparison, which says of what, ends in that word')
        kinds = set(facts.get("params", {}).values())
        if facts["better"] not in BETTER or kinds - set(PARAM_KINDS):
            raise CheckError(
                f'{file}: MEASURES["{name}"]: better is one of {", ".join(BETTER)}, '
                f"a parameter is one of {', '.join(PARAM_KINDS)}"
            )
        notes[name] = MeasureNote(**{"params": {}, **facts}, check=check)
    return notes


def _named_comparison(
    name: str, facts: Mapping[str, Any], raw: Mapping[str, Any], check: str, file: Path
) -> MeasureNote:
    """A gap or a ratio of measures; its name ends in which, for the id of a limit does not say it twice."""
    combine, of = facts.get("combine", "worst"), tuple(facts["of"])
    compare: Compare = "ratio" if name.endswith("_ratio") else "difference"
    if not name.endswith(COMPARED) or combine not in COMBINE or not of or set(facts) - {"words", "of", "combine"}:
        raise CheckError(
            f'{file}: MEASURES["{name}"]: a named comparison ends in _difference or _ratio, has words and of, '
            f"and may have combine, one of {', '.join(COMBINE)}"
        )
    first = raw.get(of[0], {})
    unit = "1" if compare == "ratio" else first.get("unit", "1")
    better = "higher" if compare == "ratio" else "lower"
    return MeasureNote(
        unit=unit,
        better=better,
        words=facts["words"],
        check=check,
        params=first.get("params", {}),
        of=of,
        compare=compare,
        combine=combine,
    )


def _owners(checks: Sequence[CheckInfo]) -> dict[str, str]:
    owners: dict[str, str] = {}
    for info in checks:
        for measure in info.measures:
            if measure in owners:
                raise CheckError(f'the measure "{measure}" belongs to {owners[measure]}; {info.id} claims it too')
            owners[measure] = info.id
    for info in checks:
        for name, note in info.measures.items():
            if unknown := [part for part in note.of if part not in owners]:
                raise CheckError(f'{info.file}: "{name}" is of "{unknown[0]}", which no check measures')
    return owners


def _unique(by_id: dict[str, CheckInfo], checks: list[CheckInfo]) -> dict[str, CheckInfo]:
    if len(by_id) < len(checks):
        twice = sorted(c.id for c in checks if sum(o.id == c.id for o in checks) > 1)
        raise CheckError(f'two checks have the id "{twice[0]}"')
    return by_id


def _unique_inputs(inputs: Iterable[InputInfo]) -> dict[str, InputInfo]:
    """An input that stands for another one would change every check that asks for it."""
    by_name: dict[str, InputInfo] = {}
    for info in inputs:
        if info.name in by_name or info.name in GIVEN:
            owner = by_name[info.name].file if info.name in by_name else "the engine"
            raise CheckError(f'the input "{info.name}" belongs to {owner}; {info.file} claims it too')
        by_name[info.name] = info
    return by_name


def _dotted(module: str, path: tuple[str, ...]) -> str:
    return ".".join((module, *path)) if module else ""
