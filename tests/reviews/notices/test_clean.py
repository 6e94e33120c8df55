"""Proves that text of others cannot hide or turn what stands around it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.reviews.notices.clean import TURNING, cleaned


@given(st.text())
def test_cleaned_text_has_no_control_and_stays_clean(text: str) -> None:
    """No control but the line's end, nothing that turns the direction; cleaning again changes nothing."""
    found = cleaned(text)
    assert not [c for c in found if c != "\n" and unicodedata.category(c) in ("Cc", "Cs")]
    assert not TURNING & set(found)
    assert cleaned(found) == found


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_stay(text: str) -> None:
    """Letters, digits and signs stay as they are, up to their composed form."""
    assert cleaned(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\r\nb\tc", "a\nb c"),
        ("e\u0301", "é"),
        ("Kredit\u00adrate", "Kreditrate"),
        ("x\u202ey", "x\ufffdy"),
        ("\x00", "\ufffd"),
    ],
)
def test_signs_that_are_replaced(text: str, found: str) -> None:
    """Line ends and tabs become plain ones, hidden signs become visible, hints without width go."""
    assert cleaned(text) == found
