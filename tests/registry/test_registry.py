"""Checks and inputs are found by reading, never by importing; faults of a check are told with its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import audit
from audit.errors import CheckError, SpecError
from audit.registry import Registry, find, load_check

CHECK = '''"""Doc."""
from __future__ import annotations
from dataclasses import dataclass
from audit.check import check
from audit.results import Outcome
MEASURES = {"own.share": {"unit": "1", "better": "none", "words": "a share", "params": {"k": "int"}}}
@dataclass(frozen=True)
class Params:
    k: int = 1
@check(cost="instant")
def share(level: float, params: Params = Params()) -> Outcome:
    raise SystemExit("it must not run when it is found")
'''


def own(folder: Path, text: str = CHECK, name: str = "share.py") -> Path:
    place = folder / "own"
    place.mkdir(exist_ok=True)
    (place / name).write_text(text, encoding="utf-8")
    return place


def test_the_path_of_a_check_is_its_id_and_its_function_is_named_after_its_file() -> None:
    registry = find()
    for name, info in registry.checks.items():
        assert info.file.parts[-2:] == (*name.split(".")[:-1], f"{name.split('.')[-1]}.py")
        assert (info.family, info.module) == (name.split(".")[0], f"audit.checks.{name}")
        assert info.function == info.file.stem


def test_every_check_and_every_input_can_be_loaded_and_asks_for_what_there_is() -> None:
    registry = find()
    for info in registry.checks.values():
        assert callable(load_check(info))
        list(registry.closure(info.inputs))


def test_every_measure_has_one_owner_and_words() -> None:
    registry = find()
    assert set(registry.notes) == {m for info in registry.checks.values() for m in info.measures}
    assert all(note.words and note.unit for note in registry.notes.values())


def test_finding_imports_no_check_and_nothing_heavy() -> None:
    code = (
        "import sys; from audit.registry import find; find();"
        "heavy = {'torch', 'captum', 'sklearn', 'fairlearn', 'pandas'} & set(sys.modules);"
        "checks = [m for m in sys.modules if m.startswith(('audit.checks.', 'audit.inputs.'))];"
        "sys.exit(str(sorted(heavy) + checks) if heavy or checks else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_of_ones_own_joins_under_its_name(tmp_path: Path) -> None:
    info = find([own(tmp_path)]).checks["own.share"]
    assert (info.cost, info.inputs, info.takes_params) == ("instant", ("level",), True)
    assert info.measures["own.share"].check == "own.share"


def test_a_module_of_ones_own_with_parameters_can_be_loaded(tmp_path: Path) -> None:
    info = find([own(tmp_path)]).checks["own.share"]
    assert callable(load_check(info))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"""Doc."""', "", "needs a module docstring"),
        ("MEASURES = {", "MEASURES = dict() or {", "must be a literal"),
        ("MEASURES = {", "OTHERS = {", "needs MEASURES"),
        ('{"own.share"', '{"share"', 'must be named "own.share"'),
        ('{"own.share": {', '{"own.share": 5, "own.b": {', "needs unit, better and words"),
        ('"unit": "1", ', "", "needs unit, better and words"),
        ('"better": "none"', '"better": "up"', "better is one of higher, lower, none, zero, one"),
        ('"k": "int"', '"k": "list"', "a parameter is one of float, int, str, bool"),
        ('cost="instant"', 'cost="cheap"', "needs cost = one of instant, predict, gradient, timing, replay, retrain"),
        ('cost="instant"', "cost=COST", "written out"),
        ("def share(level: float,", "def share(*, level: float,", "takes plain parameters only"),
        ("def share(", "def other(level: float) -> Outcome: ...\n@check(cost='instant')\ndef share(", "holds 2 checks"),
        ("def share(", "def share((", "is not Python"),
    ],
)
def test_a_fault_of_a_check_is_told_with_its_file(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in CHECK
    with pytest.raises(CheckError) as error:
        find([own(tmp_path, CHECK.replace(old, new))])
    assert words in str(error.value)
    assert "share.py" in str(error.value)


def test_a_measure_has_one_owner(tmp_path: Path) -> None:
    own(tmp_path)
    with pytest.raises(CheckError, match=r'"own\.share" belongs to own\.other; own\.share claims it too'):
        find([own(tmp_path, name="other.py")])


def test_a_folder_that_is_not_there_is_a_fault_of_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is no folder"):
        find([tmp_path / "none"])


def test_an_unknown_input_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    registry: Registry = find([own(tmp_path, CHECK.replace("level: float,", "desicions: int,"))])
    with pytest.raises(CheckError, match='did you mean "decisions"'):
        list(registry.closure(registry.checks["own.share"].inputs))


PLUGGED = """
import audit, json, sys
from audit.registry import find
assert not [m for m in sys.modules if m.startswith("acme")]
info = find().checks["acme_audits.fairness.positives"]
assert not [m for m in sys.modules if m.startswith("acme")]
limits = [{"measure": "acme_audits.positives", "max": 2}, {"measure": "acme_audits.positives", "max": 5, "params": {"factor": 10.0}}]
run = audit.run(None, {"y": [0, 1, 1, 0], "p": [0, 1, 1, 0]}, target="y", prediction="p", limits=limits, use=[])
print(json.dumps([info.family, run.exit_code, {f.id: [str(f.verdict), f.subject.value] for f in run.findings}]))
"""  # noqa: E501


def test_a_check_of_another_package_is_found_run_and_judged() -> None:
    """The package lies on the path as an installed one does: a folder and its dist-info."""
    import json

    plugin = Path(audit.__file__).parents[1] / "tests" / "worlds" / "plugin"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(plugin)!r})\n{PLUGGED}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    family, code, findings = json.loads(done.stdout)
    assert (family, code) == ("fairness", 1)
    assert findings == {
        "acme_audits.positives": ["pass", 2.0],
        "acme_audits.positives[factor=10.0]": ["fail", 20.0],
    }


def test_what_a_check_requires_itself_counts_beside_what_its_inputs_do() -> None:
    registry = find()
    said = [
        needed["tasks"]
        for needed in registry.requirements(registry.checks["fairness.group_status"])
        if "tasks" in needed
    ]
    assert said == [("binary", "multiclass", "regression", "ranking")]


def test_what_knows_two_classes_and_not_several_labels_is_asked_of_each_label() -> None:
    registry = find()
    asked = {name for name, info in registry.checks.items() if registry.is_of_one_label(info)}
    assert {"fairness.group_rates", "performance.discrimination", "fairness.group_status"} <= asked
    assert asked.isdisjoint(
        {"performance.label_sets", "performance.worst_class", "performance.per_class", "data.profile"}
    )
    plain, of_labels = registry.notes, registry.notes_of(("cat", "dog"))
    assert all("class" in note.params for note in of_labels.values() if note.check in asked)
    assert all(plain[name].check in asked for name in plain if plain[name] != of_labels[name])
    assert of_labels["roc_auc"].params == {"class": "str"}
    assert registry.notes_of(()) == plain
