"""Reads one TOML table key by key, and collects what is wrong instead of stopping at the first fault."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from explainer.errors import Problem
from explainer.registry.nearest import listing, suggestion

MOST_TEXT = 2000
LARGEST = 1e300
MOST_COUNT = 1_000_000_000
_REQUIRED: Any = object()


class Section:
    """A table at the place `where`. Every getter returns its fallback after it has noted a problem."""

    def __init__(self, table: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self.where = where
        self._table = table
        self._problems = problems
        self._asked: set[str] = set()

    def note(self, key: str, rule: str, detail: str) -> None:
        place = f"{self.where}.{key}" if self.where and key else self.where or key
        self._problems.append(Problem(place, rule, detail))

    def has(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, default: str = _REQUIRED, *, most: int = MOST_TEXT) -> str:
        value = self._get(key, default)
        if value is default or value is _REQUIRED:
            return "" if value is _REQUIRED else default
        if not isinstance(value, str):
            self._wrong_type(key, "text in quotes", value)
            return ""
        if default is _REQUIRED and not value.strip():
            self.note(key, "empty", f"{key} is empty; write what it is.")
        if len(value) > most:
            self.note(key, "too-long", f"{key} has {len(value)} characters; at most {most} are allowed.")
        return value

    def choice(self, key: str, allowed: Collection[str], default: str = _REQUIRED) -> str:
        value = self.text(key, default)
        if value and value not in allowed:
            detail = f"{value[:40]!r} is not one of {listing(allowed, word=value)}.{suggestion(value, allowed)}"
            self.note(key, "choice", detail)
        return value

    def number(self, key: str, default: float | None = _REQUIRED) -> float | None:
        value = self._get(key, default)
        if value is default or value is _REQUIRED:
            return None if value is _REQUIRED else default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong_type(key, "a number", value)
            return None
        if not abs(value) <= LARGEST:
            self.note(key, "range", f"{key} must be a finite number of at most {LARGEST:g}.")
            return None
        return float(value)

    def count(self, key: str, default: int = _REQUIRED, *, most: int = MOST_COUNT) -> int:
        value = self._get(key, default)
        if value is _REQUIRED:
            return 0
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong_type(key, "a whole number", value)
            return 0
        if not 0 < value <= most:
            self.note(key, "range", f"{key} must lie between 1 and {most}.")
            return 0
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            self._wrong_type(key, "true or false", value)
            return default
        return value

    def names(self, key: str, *, most: int) -> tuple[str, ...]:
        """Return a list of distinct, non-empty texts; an absent key is an empty list."""
        value = self._get(key, [])
        if not isinstance(value, list):
            self._wrong_type(key, "a list of texts", value)
            return ()
        if strange := [i for i, item in enumerate(value) if not isinstance(item, str)]:
            item = value[strange[0]]
            self.note(f"{key}[{strange[0]}]", "type", f"{_shown(item)} is not text; write it in quotes.")
            return ()
        self._check_names(key, value, most)
        return tuple(value)

    def table(self, key: str) -> Section:
        """Return the table `key`, empty after a problem was noted when there is none."""
        value = self._get(key, _REQUIRED)
        if value is not _REQUIRED and not isinstance(value, dict):
            self._wrong_type(key, "a table", value)
        where = f"{self.where}.{key}" if self.where else key
        if not isinstance(value, dict):
            return Section({}, where, [])  # the table itself is the fault; its keys are not listed one by one
        return Section(value, where, self._problems)

    def tables(self, key: str) -> list[dict[str, Any]]:
        """Return a list of at least one table, or an empty list after a problem was noted."""
        value = self._get(key, _REQUIRED)
        if value is _REQUIRED:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong_type(key, f"a list of tables, each under its own [[{key}]]", value)
            return []
        if not value:
            self.note(key, "empty", f"There is no entry; add at least one [[{key}]].")
        return value

    def close(self) -> None:
        """Note every key that was never asked for."""
        for key in self._table.keys() - self._asked:
            detail = f"{key[:60]!r} is not a key of this table; remove it.{suggestion(key, self._asked)}"
            self.note(key[:60], "unknown-key", detail)

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        if key in self._table:
            return self._table[key]
        if default is _REQUIRED:
            self.note(key, "required", f"{key} is missing; add it.")
        return default

    def _wrong_type(self, key: str, wanted: str, value: Any) -> None:
        self.note(key, "type", f"{key} must be {wanted}, not {_shown(value)}.")

    def _check_names(self, key: str, value: list[str], most: int) -> None:
        if len(value) > most:
            self.note(key, "too-many", f"{key} has {len(value)} entries; at most {most} are allowed.")
        seen: set[str] = set()
        for i, item in enumerate(value):
            if not item.strip() or len(item) > 256:
                self.note(f"{key}[{i}]", "empty", "A name needs 1 to 256 characters that are not all blank.")
            elif item in seen:
                self.note(f"{key}[{i}]", "duplicate", f"{item!r} stands twice in the list; remove one.")
            seen.add(item)


def _shown(value: object) -> str:
    """Name a value of a wrong type; integers beyond 64 bits are never printed, for that alone can raise."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a number beyond 64 bits"
    return f"{type(value).__name__} {str(value)[:40]!r}"
