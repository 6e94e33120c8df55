"""Text of others made safe to stand in a sentence: no control signs, nothing that turns the reading direction."""

from __future__ import annotations

import unicodedata

TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSEEN = frozenset("\u00ad\u200b\u2060\ufeff")  # hints where a line may break, and marks without width
SHOWN = "\ufffd"


def cleaned(text: str) -> str:
    """Return `text` in composed form (NFC); a control or turning sign becomes a visible U+FFFD, tabs a blank.

    Line ends stay. Hints without width are dropped: they are no letters.
    """
    plain = text.replace("\r\n", "\n").replace("\t", " ")
    seen = "".join(_visible(letter) for letter in plain if letter not in UNSEEN)
    return unicodedata.normalize("NFC", seen)


def _visible(letter: str) -> str:
    if letter == "\n":
        return letter
    category = unicodedata.category(letter)
    return SHOWN if letter in TURNING or category in ("Cc", "Cs", "Zl", "Zp") else letter
