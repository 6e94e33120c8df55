"""Proves that every language is complete, and how numbers and days are written in each."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.reviews.notices.catalogue import FOLDER, RAISED, catalogue, languages
from explainer.reviews.notices.template import FOLDER as TEMPLATES

PLACES = re.compile(r"\{(\w+)\}")
LOWERED = {chr(raised): chr(plain) for plain, raised in RAISED.items()}


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    """No key is missing, none is more, none is empty, and each text names what the English one names."""
    english, other = catalogue("en"), catalogue(language)
    assert set(other.texts) == set(english.texts)
    for key, text in other.texts.items():
        assert text.strip(), key
        assert set(PLACES.findall(text)) == set(PLACES.findall(english.texts[key])), key
    assert len(other.months) == 12
    assert all(f"languages.{code}" in other.texts for code in languages())


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_no_text_is_left_in_english(language: str) -> None:
    """Only words that are the same in both languages are equal to the English ones."""
    english, other = catalogue("en").texts, catalogue(language).texts
    same = {key for key in other if other[key] == english[key] and len(other[key].split()) > 2}
    assert same <= {"record.model", "record.method", "format.date"}


def test_every_text_is_used() -> None:
    """Each key is named by a template or by the code; nothing lies about."""
    used = "".join(path.read_text() for path in [*TEMPLATES.glob("*.toml"), *FOLDER.parent.glob("*.py")])
    made = ("format.", "value.", "languages.", "row.", "unit.", "review.", "history.")  # composed from a name
    for key in catalogue("en").texts:
        assert key.startswith(made) or f'"{key}' in used, key


def test_files_hold_text_only() -> None:
    """A catalogue is tables of texts, besides its name and its months."""
    for path in FOLDER.glob("*.toml"):
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        assert isinstance(document.pop("name"), str)
        assert all(isinstance(m, str) for m in document["format"].pop("months"))
        assert all(isinstance(text, str) for table in document.values() for text in table.values()), path


@pytest.mark.parametrize(
    ("language", "iso", "day"),
    [
        ("en", "2026-03-01T23:59:59Z", "1 March 2026"),
        ("de", "2026-03-01", "1. März 2026"),
        ("fr", "2026-03-01T00:00:00+01:00", "1er mars 2026"),
        ("fr", "2026-08-21", "21 août 2026"),
    ],
)
def test_days_in_words(language: str, iso: str, day: str) -> None:
    """A stored time is written as the day that it names."""
    assert catalogue(language).date(iso) == day


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (24, "24", "24"),
        (-12.5, "−12.5", "−12,5"),
        (1234567.89, "1234567.89", "1234567,89"),
        (100.0, "100", "100"),
        (0.0, "0", "0"),
        (None, "not given", "nicht angegeben"),
        (True, "yes", "ja"),
        (False, "no", "nein"),
        ("a.b-c", "a.b-c", "a.b-c"),
    ],
)
def test_values_keep_every_digit(value: Any, english: str, german: str) -> None:
    """A value is written with the digits that it has, with the language's decimal sign; text stays as it is."""
    assert (catalogue("en").value(value), catalogue("de").value(value)) == (english, german)


@settings(deadline=None)
@given(st.floats(-1e15, 1e15, allow_nan=False), st.sampled_from(languages()))
def test_values_read_back_exactly(value: float, language: str) -> None:
    """What is written of a row's value is the value itself, in whichever language."""
    assert read(catalogue(language).value(value)) == value


@settings(deadline=None)
@given(st.floats(-1e9, 1e9, allow_nan=False), st.sampled_from(languages()))
def test_numbers_read_back_to_six_digits(value: float, language: str) -> None:
    """What is written of a computed number is it to half a unit of its sixth digit."""
    assert read(catalogue(language).number(value)) == pytest.approx(value, rel=5.1e-6, abs=0)


def read(text: str) -> float:
    """A number as people read it."""
    digits, _, power = text.replace("−", "-").replace(",", ".").partition(" · 10")
    exponent = "".join(LOWERED[sign] for sign in power) or "0"
    return float(f"{digits}e{exponent}")
