"""audit judge: other limits over stored measurements; what is not stored is not assessed."""

from __future__ import annotations

from pathlib import Path

from audit import store
from audit.cli.judge import rejudged, spec_of
from tests.cli.conftest import ONLY_OWN, Call

Runs = tuple[Path, Path]


def spec(folder: Path, text: str) -> Path:
    path = folder / "other.toml"
    path.write_text(text)
    return path


def test_the_same_limits_give_the_same_findings(two_runs: Runs, call: Call) -> None:
    stored = store.read(two_runs[0])
    again = rejudged(stored, spec_of(stored), None, None)
    assert again.findings == stored.findings
    assert (again.verdict, again.exit_code, again.exit_reason) == (stored.verdict, stored.exit_code, stored.exit_reason)
    assert call("judge", two_runs[0]).code == stored.exit_code


def test_a_looser_limit_passes_and_a_tighter_one_fails_on_the_same_numbers(
    two_runs: Runs, tmp_path: Path, call: Call
) -> None:
    accuracy = '\n[[limit]]\nmeasure = "accuracy"\nmin = {}\nwhy = "x"\n'
    base = ONLY_OWN.split("[[limit]]", maxsplit=1)[0]
    loose = call("judge", two_runs[0], "--spec", spec(tmp_path, base + accuracy.format(0.2)))
    tight = call("judge", two_runs[0], "--spec", spec(tmp_path, base + accuracy.format(0.99)))
    assert (loose.code, tight.code) == (0, 1)
    assert "✗ Fails" in tight.out


def test_a_limit_that_the_run_does_not_hold_is_not_assessed_and_says_to_measure(
    two_runs: Runs, tmp_path: Path, call: Call
) -> None:
    other = ONLY_OWN.replace('by = "race"', 'by = "postcode"')
    found = call("judge", two_runs[0], "--spec", spec(tmp_path, other))
    assert found.code == 2
    assert "– Not assessed  true_positive_rate/difference@postcode" in found.out
    assert "measure it with audit run" in found.out


def test_nothing_is_written_without_out_and_a_readable_run_with_it(two_runs: Runs, tmp_path: Path, call: Call) -> None:
    before = sorted(p.name for p in two_runs[0].parent.iterdir())
    call("judge", two_runs[0])
    assert sorted(p.name for p in two_runs[0].parent.iterdir()) == before
    call("judge", two_runs[0], "--out", tmp_path / "again")
    (made,) = (tmp_path / "again").iterdir()
    assert store.read(made).records == store.read(two_runs[0]).records
    assert (made / "report.html").exists()


def test_json_is_the_result_as_a_run_folder_holds_it(two_runs: Runs, call: Call) -> None:
    stored = store.read(two_runs[0])
    result = call("judge", two_runs[0], "--json").json()
    assert [finding["id"] for finding in result["findings"]] == [finding.id for finding in stored.findings]


def test_the_spec_of_another_audit_is_refused(two_runs: Runs, tmp_path: Path, call: Call) -> None:
    found = call("judge", two_runs[0], "--spec", spec(tmp_path, ONLY_OWN.replace('"vendor"', '"other"')))
    assert found.code == 2
    assert 'is of "other", the run is of "vendor"' in found.err


def test_a_baseline_lets_a_limit_on_worsening_be_judged(two_runs: Runs, tmp_path: Path, call: Call) -> None:
    limit = '\n[[limit]]\nmeasure = "accuracy"\nregress = 0.5\nwhy = "x"\n'
    path = spec(tmp_path, ONLY_OWN.split("[[limit]]", maxsplit=1)[0] + limit)
    assert call("judge", two_runs[0], "--spec", path).code == 2
    assert call("judge", two_runs[0], "--spec", path, "--baseline", two_runs[1]).code == 0


def test_a_policy_file_adds_its_limits(two_runs: Runs, tmp_path: Path, call: Call) -> None:
    policy = tmp_path / "house.toml"
    policy.write_text('pack = "house"\ntitle = "House"\n[[limit]]\nmeasure = "accuracy"\nmin = 0.99\nwhy = "x"\n')
    found = call("judge", two_runs[0], "--policy", policy)
    assert found.code == 1


def test_a_folder_without_a_run_is_refused(tmp_path: Path, call: Call) -> None:
    found = call("judge", tmp_path)
    assert (found.code, "no run at" in found.err) == (2, True)
