"""Limits of what may be asked for, and what of them is told."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from explainer.errors import InvalidOption, Problem

EVERY: Final = "*"  # as a model's name: every model that has no budget of its own
WHOM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._@-]{0,119}")
MODEL: Final = re.compile(r"\*|[a-z0-9][a-z0-9-]{0,62}")
MINUTE_S, DAY_S = 60, 86_400
FOREVER: Final = 3_650 * DAY_S  # what Retry-After says of a budget that does not come back by itself
FIELDS: Final = ("RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@dataclass(frozen=True, slots=True)
class Limits:
    """At most so many in a minute (of the clock), a day (UTC) and on one version of a model; None for no bound."""

    rows_minute: int | None = None
    rows_day: int | None = None
    rows_version: int | None = None
    distinct_minute: int | None = None
    distinct_day: int | None = None
    distinct_version: int | None = None
    evaluations_minute: int | None = None
    evaluations_day: int | None = None
    evaluations_version: int | None = None

    def named(self) -> list[tuple[str, int | None]]:
        return [(name, getattr(self, name)) for name in NAMES]

    @property
    def none(self) -> bool:
        return self == NO_LIMITS


NO_LIMITS = Limits()
NAMES: Final = tuple(f.name for f in dataclasses.fields(Limits))
# Why these: docs/explanation/theft.md
USUAL: Mapping[str, Limits] = {
    "application": Limits(rows_minute=1_200, rows_day=20_000, distinct_day=2_000, distinct_version=5_000)
}


@dataclass(frozen=True, slots=True)
class Granted:
    """Limits with whom they are for (a role or a principal), which model, and who gave them (empty: the program)."""

    whom: str
    model: str
    limits: Limits
    changed_at: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """The budget that is nearest to its end: which one, how large, what is left, seconds until it begins anew."""

    name: str
    limit: int
    remaining: int
    reset_s: int


def header_fields(left: Left) -> dict[str, str]:
    """What a client is told of its budget, as RateLimit header fields."""
    window = {"minute": MINUTE_S, "day": DAY_S}.get(left.name.partition("_")[2], FOREVER)
    policy = f'{left.limit};w={window};comment="{left.name}"'
    return dict(zip(FIELDS, (policy, str(left.limit), str(left.remaining), str(left.reset_s)), strict=True))


def check(whom: str, model: str, limits: Limits) -> None:
    problems = []
    if WHOM.fullmatch(whom) is None:
        problems.append(Problem("whom", "not-possible", "give a role, or a principal's id such as key_abcd2345"))
    if MODEL.fullmatch(model) is None:
        problems.append(Problem("model", "not-possible", "give a model's name, or * for every model"))
    for name in NAMES:
        value = getattr(limits, name)
        if value is not None and not 0 <= value < 2**53:
            problems.append(Problem(name, "not-possible", "give a number from 0 on, or none for no bound"))
    if problems:
        raise InvalidOption(f"{problems[0].where}: {problems[0].detail}.", problems=problems)
