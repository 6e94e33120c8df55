"""Search of the ledger and one entry with its proof: against a plain reading of all entries."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from explainer.errors import InvalidOption, NotFound, NotPermitted
from explainer.ledger.checking import check_proof
from explainer.ledger.notes import read_note
from explainer.ledger.sqlite import Filters, Ledger
from explainer.records import LedgerEntry
from explainer.usecases.audit import PAGE, Entries, Wanted, search_entries, show_entry
from tests.house import House

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Every entry is a minute after the one before."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,300 entries: every seventh is by `eve`, every hundredth failed, every second about `credit`."""
    folder = tmp_path_factory.mktemp("written")
    ledger = Ledger(folder / "filled.db", clock=Clock())
    for i in range(1, 1301):
        who, outcome = "eve" if i % 7 == 0 else "adam", "failed" if i % 100 == 0 else "answered"
        body: dict[str, str | int | float | bool | None] = {"model": "credit" if i % 2 else "other"}
        ledger.append(LedgerEntry("api:explanation:create", who, outcome, f"request-{i}", body))
    ledger.proofs.checkpoint()
    ledger.close()
    return folder


@pytest.fixture
def filled(house: House, written: Path, tmp_path: Path) -> House:
    """A house of its own with a copy of that ledger."""
    shutil.copytree(written, tmp_path / "copy")
    return house.with_rooms(ledger=Ledger(tmp_path / "copy" / "filled.db"))


def asked(house: House, role: str = "auditor", **wanted: str | int | None) -> Entries:
    fields = {k: wanted.pop(k) for k in list(wanted) if k in ("event", "principal", "outcome", "request_id")}
    given = Wanted(Filters(**fields), **wanted)  # type: ignore[arg-type]
    return search_entries(house.rooms, house.caller(role), given)


def numbers(found: Entries) -> list[int]:
    return [r.number for r in found.entries]


def test_pages_follow_one_another_without_a_gap(filled: House) -> None:
    """Newest first; the second page goes on below the first one, and all pages together are all entries that fit."""
    found, pages = asked(filled, principal="eve"), list[int]()
    assert numbers(found) == [i for i in range(1300, 0, -1) if i % 7 == 0][:PAGE]
    while True:
        pages += numbers(found)
        if found.after is None:
            break
        found = asked(filled, principal="eve", before=found.after)
    assert pages == [i for i in range(1300, 0, -1) if i % 7 == 0]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"outcome": "failed"}, lambda i: i % 100 == 0),
        ({"outcome": "failed", "principal": "eve"}, lambda i: i % 700 == 0),
        ({"request_id": "request-77"}, lambda i: i == 77),
        ({"model": "credit", "principal": "eve", "since": "2026-01-01T20:00"}, lambda i: i % 14 == 7 and i >= 1200),
        ({"since": "2026-01-01T00:10", "until": "2026-01-01T00:12"}, lambda i: 10 <= i <= 12),
        ({"until": "2026-01-01T00:03:00+00:00"}, lambda i: i <= 3),
        ({"event": "page:nothing:here"}, lambda i: False),
        ({"principal": "eve' OR 1=1 --"}, lambda i: False),
    ],
)
def test_searches_find_what_a_reading_of_all_finds(filled: House, wanted: dict[str, str], fits: object) -> None:
    """Fields, model and times together; a quote in a field is a quote. The search's own entry is not in it."""
    found = asked(filled, **wanted)
    assert [n for n in numbers(found) if n <= 1300] == [i for i in range(1300, 0, -1) if fits(i)]  # type: ignore[operator]
    assert (found.after, found.stopped, found.size) == (None, False, 1300)


def test_a_search_that_finds_little_says_how_far_it_came(filled: House) -> None:
    """It stops after so many entries, and goes on from there when asked to."""
    found = search_entries(filled.rooms, filled.caller("auditor"), Wanted(model="nowhere"), most=1000)
    assert (numbers(found), found.after, found.stopped) == ([], 301, True)
    assert asked(filled, model="credit", until="2026-01-01T01:00", before=301).entries[0].number == 59


def test_a_search_far_back_does_not_look_at_what_came_since(filled: House) -> None:
    """Entries until a time are gone to at once: among 600 that are looked at are those of the first minutes."""
    wanted = Wanted(model="credit", until="2026-01-01T00:05")
    found = search_entries(filled.rooms, filled.caller("auditor"), wanted, most=600)
    assert (numbers(found), found.stopped) == ([5, 3, 1], False)


def test_a_time_that_is_none_is_refused(filled: House) -> None:
    """With an example of what can be read; the refusal is an entry."""
    with pytest.raises(InvalidOption, match="since: 'yesterday' is no time"):
        asked(filled, since="yesterday")
    assert filled.rooms.ledger.read(after=1300)[0].entry.outcome == "invalid-option"


def test_the_search_is_an_entry_that_says_what_for(filled: House) -> None:
    """Who looked for whom stays on record."""
    asked(filled, principal="eve", model="credit")
    entry = filled.rooms.ledger.read(after=1300)[0].entry
    assert (entry.event, entry.principal) == ("api:entry:search", "key_auditor")
    assert entry.body == {"principal": "eve", "model": "credit", "entries": PAGE}


def test_an_entry_comes_with_a_proof_that_holds(filled: House) -> None:
    """Checked with a checkpoint alone; the newest one that was signed is named."""
    signed = filled.rooms.ledger.proofs.checkpoint()
    shown = show_entry(filled.rooms, filled.caller("auditor"), 77)
    assert shown.found.entry.request_id == "request-77"
    assert shown.checkpoint == signed
    proof = filled.rooms.ledger.proofs.inclusion(77, signed.size)
    given = {name: getattr(proof, name) for name in proof.__slots__}
    assert check_proof(given, [read_note(signed.note)])[0]
    for number in (0, -1, 9999):
        with pytest.raises(NotFound):
            show_entry(filled.rooms, filled.caller("auditor"), number)


@pytest.mark.parametrize("role", ["analyst", "reviewer", "owner", "administrator", "application"])
def test_nobody_else_searches(filled: House, role: str) -> None:
    """Reading entries is for auditors."""
    with pytest.raises(NotPermitted):
        asked(filled, role)
    with pytest.raises(NotPermitted):
        show_entry(filled.rooms, filled.caller(role), 1)
