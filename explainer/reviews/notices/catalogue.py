"""The words of a language, read from its file; a word that is missing there is an error."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from explainer.errors import InvalidOption
from explainer.reviews.notices.facts import Value

FOLDER = Path(__file__).parent / "languages"
CODE = re.compile(r"[a-z]{2}")
MINUS = "−"
DIGITS = 6  # significant ones of a computed number
SMALL = 1e-4
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts by `table.key`."""

    code: str
    name: str
    texts: Mapping[str, str]
    months: tuple[str, ...]

    def say(self, key: str, **values: str) -> str:
        """Return the text of `key` with `values` in its places, inserted as they are; KeyError for an unknown key."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        return key in self.texts

    def date(self, iso: str) -> str:
        """Write the day of an ISO 8601 time in words."""
        day = datetime.fromisoformat(iso)
        number = self.say("format.first") if day.day == 1 else str(day.day)
        return self.say("format.date", day=number, month=self.months[day.month - 1], year=str(day.year))

    def number(self, value: float | None) -> str:
        """Write a computed number to six significant digits, one below 0.0001 with a power of ten."""
        if value is None:
            return self.say("value.unknown")
        if value == 0 or abs(value) >= SMALL:
            return self._plain(Decimal(f"{value:.{DIGITS}g}"))
        digits, power = f"{value:.{DIGITS - 1}e}".split("e")
        return f"{self._plain(Decimal(digits))} · 10{str(int(power)).translate(RAISED)}"

    def value(self, value: Value) -> str:
        """Write a value of a row with every digit that it has."""
        if value is None:
            return self.say("value.missing")
        if isinstance(value, bool):
            return self.say("value.true" if value else "value.false")
        return value if isinstance(value, str) else self._plain(Decimal(repr(value)))

    def _plain(self, number: Decimal) -> str:
        digits = f"{number.normalize():f}" if number else "0"
        return digits.replace(".", self.say("format.decimal")).replace("-", MINUS)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def catalogue(language: str) -> Catalogue:
    """Return the words of `language`; raises InvalidOption for one that there is not."""
    if language not in languages():
        detail = f"language: there are no notices in {language[:20]!r}; choose one of {', '.join(languages())}."
        raise InvalidOption(detail)
    return _read(FOLDER / f"{language}.toml")


@cache
def _read(path: Path) -> Catalogue:
    document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    name, months = document.pop("name"), tuple(document["format"].pop("months"))
    found = {f"{table}.{key}": text for table, entries in document.items() for key, text in entries.items()}
    return Catalogue(path.stem, name, found, months)
