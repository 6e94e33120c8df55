"""Numbers and values as people read them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webui.test_charts import explanation
from webui import words
from webui.charts import Scale, Tick

FINITE = st.floats(-1e300, 1e300)


def read(text: str) -> float:
    return float(text.replace(words.MINUS, "-").replace(",", ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (-0.12345, "−0.123"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (-1234567.0, "−1,234,567"),
        (999.7, "1,000"),
        (3.4e38, "3.4e+38"),
        (0.00001, "1.0e−05"),
        (1.0, "1"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    """Three digits, thousands set apart, a true minus, an exponent only for the very small."""
    assert words.number(value) == text


@given(FINITE, st.integers(1, 6))
def test_number_reads_back(value: float, digits: int) -> None:
    """What is read is the value to so many digits, and never a bare hyphen."""
    text = words.number(value, digits)
    assert "-" not in text
    assert read(text) == pytest.approx(value, rel=max(0.6 * 10.0 ** (1 - digits), 0.06 if abs(value) < 1e-4 else 0))


@given(FINITE)
def test_signed(value: float) -> None:
    """Every push says its direction, but zero has none."""
    text = words.signed(value)
    assert text[0] == ("0" if text == "0" else "−" if value < 0 else "+")


@pytest.mark.parametrize(
    ("value", "space", "text"),
    [(0.1234, "probability", "12.3 %"), (1.0, "probability", "100.0 %"), (-1.5, "log_odds", "−1.5"), (0.0, "raw", "0")],
)
def test_output(value: float, space: str, text: str) -> None:
    """A probability is read as per cent, anything else as itself."""
    assert words.output(value, space) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (None, "missing"),
        (True, "yes"),
        (False, "no"),
        (12000, "12,000"),
        (0, "0"),
        (0.5, "0.5"),
        (-3, "−3"),
        (-0.25, "−0.25"),
        ("car (new)", "car (new)"),
        ("a-b", "a-b"),
    ],
)
def test_value(raw: Any, text: str) -> None:
    """Missing is said, booleans are yes and no, text stays as it is."""
    assert words.value(raw) == text


def test_bound_and_label() -> None:
    """An open end is an ellipsis; underscores of names are blanks."""
    assert (words.bound(None), words.bound(-1000.0), words.bound(0.5)) == ("…", "−1,000", "0.5")
    assert words.label("duration_months") == "duration months"


def test_rule() -> None:
    """Comparison signs are typographic, names are labels, numbers stay."""
    assert words.rule("1.00 < duration_months <= 24.00") == "1.00 < duration months ≤ 24.00"
    assert words.rule("amount_dm >= 10") == "amount dm ≥ 10"


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=5))
def test_pushes_of_probabilities_are_points(pushes: list[float]) -> None:
    """Percentage points: what is read over 100 is the push to half of the last decimal shown."""
    unit = words.unit_of(dataclasses.replace(explanation(pushes), output="probability"))
    for push in pushes:
        text = unit.push(push)
        assert read(text) / 100 == pytest.approx(push, abs=0.51 * 10.0**-unit.decimals / 100)
        assert text[0] in "+−" or float(text) == 0


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=5))
def test_other_pushes_have_three_digits_of_the_largest(pushes: list[float]) -> None:
    """The largest push is read to at least three digits, up to eight decimals."""
    unit = words.unit_of(explanation(pushes))
    largest = max(map(abs, pushes))
    assert read(unit.push(largest)) == pytest.approx(largest, rel=0.0051, abs=0.51e-8)
    assert unit.suffix == ""


@pytest.mark.parametrize(("half", "text"), [(0.05, "5.0"), (0.0001, "0.01"), (0.0, "0"), (0.000001, "1.0e−04")])
def test_an_error_never_reads_as_zero(half: float, text: str) -> None:
    """An error below the last decimal is given to one digit instead: only a true zero reads 0."""
    assert words.Unit(100.0, 1, "").error(half) == text


def test_ticks_have_their_unit() -> None:
    """Per cent for probabilities; as many decimals as keep the ticks apart."""
    assert words.Unit(100.0, 1, "").tick(Tick(0, -0.25, 2)) == "−25 %"
    assert words.Unit(1.0, 1, "").tick(Tick(0, -0.25, 2)) == "−0.25"


@given(st.floats(-0.2, 1), st.floats(0.0001, 1.2))
def test_no_two_ticks_read_the_same(low: float, span: float) -> None:
    """On the scale of a probability, every tick's text is its own."""
    ticks = Scale(low, low + span).ticks()
    unit = words.Unit(100.0, 1, "")
    assert len({unit.tick(t) for t in ticks}) == len(ticks)
