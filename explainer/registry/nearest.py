"""What somebody may have meant: the known names nearest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection

COMPARED = 200  # names beyond which no similarity is computed: a wrong word must stay cheap
LONGEST = 64


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known name most like `word`, or None when none is."""
    if len(known) > COMPARED or len(word) > LONGEST:
        return None
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(word: str, known: Collection[str]) -> str:
    """Return ' Did you mean 'x'?' or nothing."""
    found = nearest(word, known)
    return f" Did you mean {found!r}?" if found else ""


def listing(known: Collection[str], *, word: str = "", most: int = 12) -> str:
    """Return the names as one phrase, those most like `word` first, cut after `most`."""
    names = list(known)
    if word and len(names) <= COMPARED and len(word) <= LONGEST:
        lowered = word.lower()
        names.sort(key=lambda name: -difflib.SequenceMatcher(None, lowered, name.lower()).ratio())
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
