"""Numbers, names and verdicts in words."""

from __future__ import annotations

import math
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import wording
from audit.results import Interval, Omission, Reason
from tests.reports.evidence import measurement

FINITE = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)
UNITS = st.sampled_from(["1", "kWh", "kgCO2e", "log-odds", "rows", "h", "s"])


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_measurement_reads_as_the_design_says() -> None:
    m = measurement("gap", 0.083, 0.0785, 640, method="Newcombe")
    bounds = Interval(lower=0.004, upper=0.161, level=0.95, method="Newcombe")
    object.__setattr__(m, "interval", bounds)
    assert plain(wording.measurement(m)) == "0.083 (95 % CI 0.004 to 0.161, n = 640, Newcombe)"


def test_an_assumption_range_is_never_called_confidence() -> None:
    text = wording.measurement(measurement("energy", 0.5, 0.2, 1, unit="kWh", kind="range", method="counter"))
    assert "90\u00a0% range" in text
    assert "CI" not in text


def test_an_exact_number_says_exact_and_still_gives_n() -> None:
    text = plain(wording.measurement(measurement("duplicate_rows", 12, 0, 1989, unit="rows")))
    assert text == "12 rows (exact, n = 1,989, Wilson)"


@pytest.mark.parametrize(
    ("value", "unit", "se", "expected"),
    [
        (0.0831, "1", 0.04, "0.083"),
        (0.5, "1", 0.3, "0.50"),
        (0.0002, "1", 0.0001, "<0.001"),
        (-0.0002, "1", 0.0001, ">−0.001"),
        (0.99998, "1", 0.0001, ">0.999"),
        (1989, "rows", None, "1,989 rows"),
        (0.0004, "kWh", None, "0.400 Wh"),
        (2.0, "kWh", 0.5, "2.00 kWh"),
        (-0.5, "log-odds", 0.2, "−0.50 log-odds"),
        (0.25, "h", 0.0, "15.0 min"),
        (0.0, "1", 0.1, "0.00"),
        (1234567.0, "rows", None, "1,234,567 rows"),
    ],
)
def test_numbers_are_written_as_a_person_reads_them(value: float, unit: str, se: float | None, expected: str) -> None:
    assert plain(wording.number(value, unit, se)) == expected


@given(value=FINITE, half=st.floats(min_value=0, max_value=1e6), unit=UNITS)
def test_no_number_uses_a_hyphen_for_minus_or_rounds_to_a_false_zero(value: float, half: float, unit: str) -> None:
    text = wording.number(value, unit, half)
    assert not re.search(r"(?<![a-z])-\d", text)
    if unit == "1" and 0 < value < 0.0004 and half < 0.01:
        assert text == "<0.001"


@given(value=st.floats(min_value=0.01, max_value=1e6), part=st.floats(min_value=0.001, max_value=1.0), unit=UNITS)
def test_the_written_value_differs_from_the_true_one_by_less_than_its_interval(
    value: float, part: float, unit: str
) -> None:
    factor, _ = wording.scale(value, unit)
    written = wording.number(value, unit, value * part).split("\u00a0")[0]
    if written.startswith(("<", ">")):
        return
    shown = float(written.replace(",", "").replace("−", "-")) / factor
    tolerance = max(value * part / 5, 0.0006 if unit == "1" else 0.0, 0.51 if unit == "rows" else 0.0)
    assert abs(shown - value) <= tolerance


@given(st.text(max_size=400))
def test_a_label_is_one_short_line_without_control_or_direction_characters(text: str) -> None:
    shown = wording.label(text)
    assert 0 < len(shown) <= wording.LABEL_LENGTH
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029")
    shown.encode("utf-8")


def test_an_ordinary_name_is_shown_as_it_is() -> None:
    for name in ("Asian / Pacific", "60+", "naïve", "日本", "می‌خواهم", "age_25-40"):
        assert wording.label(name) == name


def test_a_missing_value_is_named_and_the_empty_slice_is_all_rows() -> None:
    assert wording.slice_words({"sex": "F", "age": None}) == "sex = F, age = (missing)"
    assert wording.slice_words({}) == "all rows"
    assert wording.contrast_words(({"race": "black"}, {"race": None})) == "race: black against (missing)"
    assert wording.contrast_words(({"race": "black"}, {})) == "race = black against all rows"


def test_a_limit_keeps_every_digit_that_was_written() -> None:
    assert wording.limit_words("1", lowest=None, highest=0.125) == "at most 0.125"
    assert wording.limit_words("1", lowest=0.8, highest=1.25) == "0.8 to 1.25"
    assert plain(wording.limit_words("kWh", lowest=None, highest=0.00005)) == "at most 50 mWh"
    assert wording.limit_words("1", lowest=None, highest=None) == "recorded, no limit"


def test_a_waiver_covers_a_failure_and_never_hides_a_pass() -> None:
    assert wording.status("fail", waived=True).word == "Waived"
    assert wording.status("pass", waived=True).word == "Passes"
    assert {s.word for s in wording.STATUSES.values()} == {"Passes", "Fails", "Inconclusive", "Not assessed", "Waived"}


def test_every_reason_has_words_of_its_own() -> None:
    assert set(wording.REASONS) == set(Reason)
    assert len(set(wording.REASONS.values())) == len(Reason)
    said = wording.omission(Omission(name="x", reason=Reason.INSUFFICIENT_DATA, detail="3 rows", remedy="collect"))
    assert said == "Too few rows: 3 rows"


@given(st.floats(min_value=0, max_value=1))
def test_a_share_is_never_rounded_to_nothing_or_to_everything(part: float) -> None:
    text = wording.share(part)
    assert (text == "0\u00a0%") == (part == 0)
    assert (text == "100\u00a0%") == (part == 1)


@given(FINITE)
def test_a_cell_holds_four_digits_of_a_float(value: float) -> None:
    shown = wording.cell(value)
    if abs(value) >= 1e-6:
        assert math.isclose(float(shown.replace(",", "").replace("−", "-")), value, rel_tol=6e-4)


def test_a_cell_of_next_to_nothing_is_short() -> None:
    assert wording.cell(1.1e-10) == "<0.000001"
    assert wording.cell(-3e-9) == ">−0.000001"
    assert wording.cell(0.0) == "0"
    assert wording.cell(2e-6) == "0.000002"


def test_one_of_a_unit_is_singular_and_everything_else_plural() -> None:
    assert wording.number(1, "rows") == "1\u00a0row"
    assert wording.number(-1, "columns") == "−1\u00a0column"
    assert [wording.number(n, "slices")[:-7] for n in (0, 2, 1001)] == ["0", "2", "1,001"]
    assert wording.limit_words("rows", lowest=None, highest=1) == "at most 1\u00a0row"
    assert wording.number(1.5, "rows", 0.5).endswith("rows")


def test_what_could_have_been_shown_is_said_in_the_unit_of_its_comparison() -> None:
    assert wording.rows_enough(13, 38, 0.97) == "13 of 38 comparisons, 97\u00a0% of rows, had rows enough to pass"
    assert wording.rows_enough(0, 1) == "0 of 1 comparison had rows enough to pass"
    assert wording.rows_enough(1, 1, ahead=True) == "1 of 1 comparison has rows enough to pass"
    assert wording.sight(0.084, "1", "difference") == "the smallest gap that these rows could have shown is 0.084"
    assert wording.sight(0.85, "kWh", "ratio") == "the ratio nearest to 1 that these rows could have shown is 0.850"
    assert wording.sight(0.2, "h", "each").startswith("the smallest distance from the limit that these rows could have")
    assert wording.sight(0.2, "h", "each").endswith("12.0\u00a0min")
    assert wording.sight(None, "1", "each") == ""
