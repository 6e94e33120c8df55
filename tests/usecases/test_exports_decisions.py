"""Stored decisions as the input of an export."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import InvalidOption, NotPermitted
from explainer.exports.holders import this_process
from explainer.exports.jobs import Job
from explainer.records import Principal
from explainer.reviews.rules import REASONS, Wish
from explainer.reviews.store import new_id
from explainer.reviews.wanted import MOST
from explainer.usecases import verdicts
from explainer.usecases.exports import Rows, export_file, show_export, submit
from explainer.usecases.exports_decisions import DecisionQuery, query_of, write_rows
from explainer.usecases.exports_run import Exporter
from explainer.usecases.exports_spec import ExportAsk
from explainer.usecases.rooms import Caller
from tests.house import House
from tests.registry.folders import ROW
from tests.usecases.test_decisions import brought, person


def exported(house: House, query: DecisionQuery, caller: Caller | None = None, **more: Any) -> Job:
    who = caller or house.caller()
    job = submit(house.rooms, who, ExportAsk("credit", **more), Rows(decisions=query))
    assert Exporter(house.rooms, house.serving, this_process(), lambda: False).turn()
    return show_export(house.rooms, who, job.id)


def lines(house: House, job: Job) -> list[dict[str, Any]]:
    path, _ = export_file(house.rooms, house.caller(), job.id, "explanations.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def counts(job: Job) -> tuple[int, int, int]:
    told = job.spec.decisions
    assert told is not None
    return told["rows"], told["erased"], told["to_judge"]


def test_each_decision_is_explained_and_named(house: House) -> None:
    """The rows that were decided come out oldest first with id, external id, outcome and status, and their values."""
    house.register()
    first = brought(house, external_id="A-1", outcome="granted")
    second = brought(house, instance={**ROW, "months": 30})
    done = exported(house, DecisionQuery())
    found = lines(house, done)
    assert [item["carry"]["decision.id"] for item in found] == [first.facts.id, second.facts.id]
    assert found[0]["carry"] == {
        "decision.id": first.facts.id, "decision.external_id": "A-1", "decision.version": first.facts.version,
        "decision.created_at": first.facts.created_at, "decision.outcome": "granted",
        "decision.model_outcome": "declined", "decision.status": "open",
    }  # fmt: skip
    assert found[1]["carry"]["decision.external_id"] is None
    values = {part["feature"]: part["value"] for part in found[1]["attributions"]}
    assert (values["months"], values["purpose"]) == (30, ROW["purpose"])
    assert counts(done) == (2, 0, 0)
    manifest, _ = export_file(house.rooms, house.caller(), done.id, "manifest.json")
    assert json.loads(manifest.read_bytes())["settings"]["decisions"]["query"]["show"] == "all"
    body = next(e.entry.body for e in house.entries() if e.entry.event == "api:export:create")
    assert (body["decisions_rows"], body["decisions_erased"]) == (2, 0)


def test_an_overridden_decision_carries_what_is_decided_now(house: House) -> None:
    """`outcome` is that of the confirmed override, `model_outcome` what the model said."""
    house.register()
    case = brought(house)
    one, other = person(house, "one"), person(house, "other")
    wish = Wish("override", REASONS[0], "The income was typed wrongly.")
    verdicts.enter(house.rooms, one, case.facts.id, wish)
    verdicts.enter(house.rooms, other, case.facts.id, Wish("confirm", REASONS[0], "I looked at it.", entries=1))
    (item,) = lines(house, exported(house, DecisionQuery(show="decided")))
    carried = item["carry"]
    assert (carried["decision.outcome"], carried["decision.model_outcome"]) == ("granted", "declined")
    assert carried["decision.status"] == "overridden"


def test_only_those_that_are_asked_for(house: House) -> None:
    """By time, status, adverse and version; `since` is included and `until` is not."""
    house.register()
    first = brought(house)
    time.sleep(0.005)
    second = brought(house, threshold=0.99)
    at = second.facts.created_at
    assert (first.facts.adverse, second.facts.adverse) == (True, False)
    for query, due in (
        (DecisionQuery(since=at), [second]),
        (DecisionQuery(until=at), [first]),
        (DecisionQuery(adverse=True), [first]),
        (DecisionQuery(since="2001-01-01"), [first, second]),
        (DecisionQuery(show="decided"), []),
        (DecisionQuery(version="9.9"), []),
        (DecisionQuery(since="2001-01-01", until="2001-01-02T00:00:00Z"), []),
    ):
        found = lines(house, exported(house, query))
        assert [item["carry"]["decision.id"] for item in found] == [case.facts.id for case in due], query


def test_erased_ones_are_skipped_and_counted(house: House) -> None:
    """Of an erased decision nothing comes out, and the export says that there was one."""
    house.register()
    brought(house, subject="person 1", external_id="A-1")
    brought(house)
    house.rooms.reviews._file.write(house.rooms.reviews.erasure(_mark(house, "person 1")))
    done = exported(house, DecisionQuery())
    assert counts(done) == (1, 1, 0)
    assert len(lines(house, done)) == 1


def test_what_has_to_be_judged_first_is_left_out(house: House) -> None:
    """An export does not show a reviewer the model's answer about a case that they have to judge blind."""
    house.register()
    brought(house, role="application", blind=True)
    reviewer = person(house, "one")
    job = submit(house.rooms, reviewer, ExportAsk("credit"), Rows(decisions=DecisionQuery()))
    assert counts(job) == (0, 0, 1)


def test_other_peoples_decisions_need_permission(house: House) -> None:
    """Who reads only what it brought itself cannot export decisions; nothing is kept then."""
    house.register()
    brought(house)
    key = Caller(Principal("key_other", "key", "application"), "request-9", "api")
    with pytest.raises(NotPermitted):
        submit(house.rooms, key, ExportAsk("credit"), Rows(decisions=DecisionQuery()))
    folder = house.rooms.settings.var / "exports"
    assert not list(folder.glob("*/input/*"))


def test_too_many_at_once_are_refused(house: House, tmp_path: Path) -> None:
    """Above what is exported at once, the answer says how to ask for fewer."""
    house.register()
    brought(house)
    brought(house)
    with pytest.raises(InvalidOption, match="since and until"):
        write_rows(house.rooms, house.caller(), "credit", DecisionQuery(), tmp_path, most=1)


def test_more_than_one_page(house: House, tmp_path: Path) -> None:
    """Pages follow one another without a gap or a repetition."""
    house.register()
    case = brought(house)
    assert case.particulars is not None
    ids = [case.facts.id, *(new_id() for _ in range(2 * MOST))]
    for one in ids[1:]:
        house.rooms.reviews._file.write(house.rooms.reviews.creation(replace(case.facts, id=one), case.particulars))
    path, told = write_rows(house.rooms, house.caller(), "credit", DecisionQuery(), tmp_path)
    assert sorted(ids) == [json.loads(line)["decision.id"] for line in path.read_text().splitlines()]
    assert told["rows"] == 2 * MOST + 1


def test_rows_are_looked_up_once(house: House, tmp_path: Path) -> None:
    """The same words again take the rows of the first time, whatever was decided meanwhile; others look anew."""
    house.register()
    brought(house)
    caller = house.caller()
    first, told = write_rows(house.rooms, caller, "credit", DecisionQuery(), tmp_path)
    before = first.read_bytes()
    brought(house)
    assert write_rows(house.rooms, caller, "credit", DecisionQuery(), tmp_path) == (first, told)
    assert first.read_bytes() == before
    assert write_rows(house.rooms, caller, "credit", DecisionQuery(show="waiting"), tmp_path)[1]["rows"] == 2


def test_the_words_of_a_query() -> None:
    """Each key once, the model only where it is the same, times in any zone; everything else is named."""
    found = query_of(
        "model=credit, show=decided, adverse=false, since=2026-01-01, until=2026-04-01T00:00:00+02:00", "credit"
    )
    assert found == DecisionQuery("decided", None, False, "2026-01-01", "2026-04-01T00:00:00+02:00")
    wanted = found.wanted("credit")
    assert (wanted.since, wanted.until) == ("2026-01-01T00:00:00.000+00:00", "2026-03-31T22:00:00.000+00:00")
    for text in ("show", "show=", "colour=red", "show=all, show=all", "model=other", "adverse=perhaps"):
        with pytest.raises(InvalidOption):
            query_of(text, "credit")
    for query in (DecisionQuery(since="soon"), DecisionQuery(show="everything"), DecisionQuery(flag="red")):
        with pytest.raises(InvalidOption):
            query.wanted("credit")


def _mark(house: House, subject: str) -> bytes:
    return house.rooms.receipts.seals.mark(subject)
