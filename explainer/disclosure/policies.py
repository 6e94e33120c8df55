"""Which policy a role has for a model, as administrators and owners chose it, and what was tightened since."""

from __future__ import annotations

import dataclasses
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import orjson

from explainer.disclosure.levels import POLICIES, Detail, Policy, Score, policy_of
from explainer.durable import DurableFile
from explainer.durable.kept import Kept
from explainer.errors import InvalidOption, NotFound, NotPermitted, Problem

SCHEMA = """
CREATE TABLE IF NOT EXISTS policies (
  role TEXT NOT NULL, model TEXT NOT NULL, policy TEXT NOT NULL, changed_at TEXT NOT NULL, changed_by TEXT NOT NULL,
  PRIMARY KEY (role, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
  principal TEXT NOT NULL, model TEXT NOT NULL, hold TEXT NOT NULL, why TEXT NOT NULL, since TEXT NOT NULL,
  PRIMARY KEY (principal, model)
) WITHOUT ROWID
"""
EVERY: Final = "*"  # as a model's name: every model that has no policy of its own
MODEL: Final = re.compile(r"\*|[a-z0-9][a-z0-9-]{0,62}")
MOST: Final = 10_000
SETTABLE: Final = tuple(sorted(set(POLICIES) - {"local", "monitor"}))
TIGHT: Final = Policy(values=True, most=4, detail="texts", prediction="none")

Level = Literal["tightened", "refused"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A policy with where it comes from: who chose it and when, both empty for the one the program comes with."""

    role: str
    model: str
    policy: Policy
    changed_at: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A principal that sees less of a model than its role, or nothing at all."""

    principal: str
    model: str
    level: Level
    why: str
    since: str


@dataclass(frozen=True, slots=True)
class _Table:
    chosen: Mapping[tuple[str, str], Chosen]
    holds: Mapping[tuple[str, str], Hold]


class Policies:
    """In a file that all processes share: a change holds for the next request, whichever of them answers it."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        file.add(SCHEMA)
        self._table = Kept(file, _read)

    def of(self, role: str, model: str, principal: str = "") -> Policy:
        """Raises NotPermitted for an unknown role, and for a principal that was refused; StorageFailed."""
        table = self._table.now()
        found = table.chosen.get((role, model)) or table.chosen.get((role, EVERY))
        policy = policy_of(role) if found is None else found.policy
        hold = table.holds.get((principal, model)) if table.holds else None
        if hold is None:
            return policy
        if hold.level == "refused":
            raise NotPermitted(
                f"{model} is held back from {principal} since {hold.since[:16]}: {hold.why}. "
                f"An administrator can let it go on: explainer policies release {principal} {model}."
            )
        return replace(TIGHT, values=policy.values)

    def all(self) -> list[Chosen]:
        """Every policy: what was chosen, and for roles without a choice for every model what they come with."""
        chosen = self._table.now().chosen
        usual = [Chosen(role, EVERY, POLICIES[role]) for role in SETTABLE if (role, EVERY) not in chosen]
        return sorted([*chosen.values(), *usual], key=lambda c: (c.role, c.model != EVERY, c.model))

    def holds(self) -> list[Hold]:
        return list(self._table.now().holds.values())

    def set(self, role: str, model: str, policy: Policy, by: str) -> Chosen:
        """Raises InvalidOption for what cannot be a policy, StorageFailed."""
        check(role, model, policy)
        chosen = Chosen(role, model, policy, _now(), by)
        written = orjson.dumps(dataclasses.asdict(policy)).decode()
        self._file.write(
            lambda c: c.execute(
                "REPLACE INTO policies VALUES (?,?,?,?,?)", (role, model, written, chosen.changed_at, by)
            )
        )
        return chosen

    def unset(self, role: str, model: str) -> None:
        """Back to what holds for every model, or to what the program comes with. Raises NotFound."""
        gone = self._file.write(
            lambda c: c.execute("DELETE FROM policies WHERE role = ? AND model = ?", (role, model)).rowcount
        )
        if not gone:
            raise NotFound(f"No policy was chosen for role {role[:40]!r} and model {model[:80]!r}.")

    def hold(self, principal: str, model: str, level: Level, why: str) -> Hold:
        """Let a principal see less of a model from now on, or nothing."""
        held = Hold(principal, model, level, why, _now())
        self._file.write(lambda c: c.execute("REPLACE INTO holds VALUES (?,?,?,?,?)", dataclasses.astuple(held)))
        return held

    def release(self, principal: str, model: str) -> None:
        """Raises NotFound where nothing was held back."""
        gone = self._file.write(
            lambda c: c.execute("DELETE FROM holds WHERE principal = ? AND model = ?", (principal, model)).rowcount
        )
        if not gone:
            raise NotFound(f"Nothing of {model[:80]!r} is held back from {principal[:80]!r}.")

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy of the whole file to a new one."""
        self._file.backup_to(path)


def check(role: str, model: str, policy: Policy) -> None:
    """Raises InvalidOption naming every setting that cannot be."""
    tests = (
        ("role", role in SETTABLE, f"choose one of: {', '.join(SETTABLE)}"),
        ("model", MODEL.fullmatch(model) is not None, "give a model's name, or * for every model"),
        ("detail", policy.detail in get_args(Detail), f"choose one of: {', '.join(get_args(Detail))}"),
        ("prediction", policy.prediction in get_args(Score), f"choose one of: {', '.join(get_args(Score))}"),
        ("most", policy.most is None or 1 <= policy.most <= MOST, f"1 to {MOST:,} features, or none for all"),
        (
            "prediction",
            policy.prediction == "full" or policy.detail != "full",
            "attributions with every digit add up to the prediction; round them or show reasons only",
        ),
        (
            "prediction",
            policy.prediction != "none" or policy.detail in ("reasons", "texts"),
            "the sizes of attributions tell the prediction; show reasons or texts only",
        ),
    )
    problems = [Problem(where, "not-possible", what) for where, fits, what in tests if not fits]
    if problems:
        raise InvalidOption(f"{problems[0].where}: {problems[0].detail}.", problems=problems)


def _read(connection: sqlite3.Connection) -> _Table:
    rows = connection.execute("SELECT role, model, policy, changed_at, changed_by FROM policies").fetchall()
    chosen = {(row[0], row[1]): Chosen(row[0], row[1], _policy(row[2]), row[3], row[4]) for row in rows}
    held = connection.execute("SELECT principal, model, hold, why, since FROM holds").fetchall()
    return _Table(chosen, {(row[0], row[1]): Hold(row[0], row[1], cast(Level, row[2]), row[3], row[4]) for row in held})


def _policy(text: str) -> Policy:
    fields: dict[str, Any] = orjson.loads(text)
    return Policy(**fields)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
