"""Stored decisions as the input of an export: looked up when it is submitted, kept beside it as JSON lines."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, NotFound, StorageFailed
from explainer.exports.spec import Spec
from explainer.records import Feature
from explainer.registry.rows import uncode_rows
from explainer.reviews.decision import Case
from explainer.reviews.wanted import MOST, Wanted
from explainer.usecases.cases import final_outcome, is_hidden
from explainer.usecases.exports_spec import ExportAsk
from explainer.usecases.rooms import Caller, Rooms

NAME = "decisions"
CARRIED = tuple(
    f"decision.{name}"
    for name in ("id", "external_id", "version", "created_at", "outcome", "model_outcome", "status")
)  # fmt: skip
KEYS = ("show", "flag", "adverse", "since", "until", "version")


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """Which decisions of the model. `since` is included, `until` is not; dates or times, UTC where none is said."""

    show: str = "all"
    flag: str | None = None
    adverse: bool | None = None
    since: str | None = None
    until: str | None = None
    version: str | None = None

    def wanted(self, model: str) -> Wanted:
        """Raises InvalidOption for words that no query has."""
        found = Wanted(
            show=self.show,
            model=model,
            flag=self.flag,
            adverse=self.adverse,
            version=self.version,
            since=_time("since", self.since),
            until=_time("until", self.until),
            sort="oldest",
            limit=MOST,
        )
        found.check()
        return found


def query_of(text: str, model: str) -> DecisionQuery:
    """The query that is written as `show=decided, since=2026-01-01`; raises InvalidOption."""
    given: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, sign, value = (word.strip() for word in part.partition("="))
        if not sign or not value or name not in (*KEYS, "model") or name in given:
            raise InvalidOption(
                f"decisions: {part[:60]!r} is not possible; write each of {', '.join(KEYS)} once at most, as in "
                "'show=decided, since=2026-01-01'."
            )
        given[name] = value
    if given.pop("model", model) != model:
        raise InvalidOption(f"decisions: model is {model} already; leave it out.")
    if "adverse" in given:
        if given["adverse"] not in ("true", "false"):
            raise InvalidOption("decisions: adverse is true or false.")
        given["adverse"] = given["adverse"] == "true"
    return DecisionQuery(**given)


def asked_of(ask: ExportAsk, told: dict[str, Any]) -> ExportAsk:
    """The export of what `write_rows` wrote and told: the decision's own columns are carried along."""
    return replace(ask, carry=(*ask.carry, *CARRIED), decisions=told)


def write_rows(
    rooms: Rooms, caller: Caller, model: str, query: DecisionQuery, folder: Path, most: int | None = None
) -> tuple[Path, dict[str, Any]]:
    """Write the decisions that are asked for into `folder`, oldest first; return the file, the query and the counts.

    Left out and counted: `erased` ones, those that the caller has to judge first (`to_judge`), and those whose version
    is no longer registered (`unknown_version`). What is in the folder already for the same query is taken as it is.
    Raises NotPermitted without DECISION_READ_ALL for the model, InvalidOption above `most`, StorageFailed.
    """
    rooms.access.require(caller.principal, Permission.DECISION_READ_ALL, model)
    wanted, plain = query.wanted(model), asdict(query)
    path, beside = folder / f"{NAME}.jsonl", folder / f"{NAME}.json"
    try:
        if beside.exists() and (known := orjson.loads(beside.read_bytes()))["query"] == plain:
            return path, known
        if most is not None and (count := rooms.reviews.count(wanted)) > most:
            raise InvalidOption(
                f"decisions: {count:,} are asked for, {most:,} can be exported at once; narrow it by since and until."
            )
        counts: Counter[str] = Counter(rows=0, erased=0, to_judge=0, unknown_version=0)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as file:
            file.writelines(_lines(rooms, caller, wanted, counts))
            file.flush()
            os.fsync(file.fileno())
        told = {"query": plain, **counts}
        part = beside.with_suffix(".part")
        part.write_bytes(orjson.dumps(told))
        part.replace(beside)  # the rows were on disk before
        return path, told
    except OSError as error:
        raise StorageFailed(f"The decisions could not be kept: {error.strerror}. Try again later.") from error


def told_of(spec: Spec) -> dict[str, Any]:
    """For the ledger: how many decisions an export is of, and how many were left out."""
    return {} if spec.decisions is None else {f"decisions_{k}": v for k, v in spec.decisions.items() if k != "query"}


def _lines(rooms: Rooms, caller: Caller, wanted: Wanted, counts: Counter[str]) -> Iterator[bytes]:
    features: dict[str, tuple[Feature, ...] | None] = {}
    while cases := rooms.reviews.page(wanted):
        for case in cases:
            version = case.facts.version
            if version not in features:
                features[version] = _features(rooms, case)
            known = features[version]
            if case.particulars is None:
                counts["erased"] += 1
            elif is_hidden(rooms, caller, case):
                counts["to_judge"] += 1
            elif known is None:
                counts["unknown_version"] += 1
            else:
                counts["rows"] += 1
                yield _line(rooms, case, known)
        wanted = replace(wanted, after=cases[-1].facts.id)


def _features(rooms: Rooms, case: Case) -> tuple[Feature, ...] | None:
    """The schema that the decision's row was coded by."""
    try:
        version = rooms.registry.get(case.facts.model, case.facts.version)
    except NotFound:
        return None
    return version.manifest.features if version.digest == case.facts.digest else None


def _line(rooms: Rooms, case: Case, features: tuple[Feature, ...]) -> bytes:
    facts, known = case.facts, case.particulars
    row = () if known is None else known.row
    (values,) = uncode_rows(features, np.array([[np.nan if value is None else value for value in row]]))
    entered = rooms.reviews.verdicts(facts.id) if case.state.entries else []
    external = None if known is None else known.external_id or None
    outcome, status = final_outcome(case, entered), case.state.status
    carried = (facts.id, external, facts.version, facts.created_at, outcome, facts.model_outcome, status)
    whole = {**values, **dict(zip(CARRIED, carried, strict=True))}
    return orjson.dumps(whole, option=orjson.OPT_APPEND_NEWLINE)


def _time(name: str, text: str | None) -> str | None:
    """As decisions keep their time: UTC in milliseconds, so that texts sort as times do."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        today = date(2026, 1, 31).isoformat()
        raise InvalidOption(f"{name}: {text[:40]!r} is no date or time; write {today} or {today}T08:00Z.") from None
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="milliseconds")
