"""Proves the SQLite ledger: one chain under threads, processes and kill -9, and every change of a copy is found."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import Conflict, StorageFailed
from explainer.ledger.search import AT_ONCE
from explainer.ledger.sqlite import FILLED_EVERY, Filters, Ledger
from explainer.records import LedgerEntry

WRITER = """
import itertools, sys
from pathlib import Path
from explainer.ledger.sqlite import Ledger
from explainer.records import LedgerEntry
ledger = Ledger(Path(sys.argv[1]))
numbers = itertools.count() if sys.argv[3] == "forever" else range(int(sys.argv[3]))
for i in numbers:
    name = f"{sys.argv[2]}-{i}"
    number = ledger.append(LedgerEntry("cli:x:y", "p", "answered", name, {}))
    print(number, name, flush=True)
"""


def entry(
    request_id: str = "r", event: str = "api:x:y", principal: str = "p", outcome: str = "answered"
) -> LedgerEntry:
    return LedgerEntry(event, principal, outcome, request_id, {"rows": 3, "model": "m", "share": 0.1, "ok": True})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))


def path_of(ledger: Ledger) -> Path:
    return ledger._file.path


def test_an_entry_reads_back_as_it_was_written(ledger: Ledger) -> None:
    """Number, time, seal and every field come back."""
    assert ledger.append(entry("first")) == 1
    (found,) = ledger.read()
    assert found.entry == entry("first")
    assert (found.number, found.at) == (1, "2026-11-24T00:00:00.000000+00:00")
    assert found.seal == ledger.head().seal


def test_pages_and_filters(ledger: Ledger) -> None:
    """Reading goes on after a number, stops at the limit, and filters match exactly."""
    for i in range(30):
        ledger.append(
            entry(f"r{i}", "api:x:y" if i % 2 else "page:x:y", f"p{i % 3}", "refused" if i % 5 == 0 else "answered")
        )
    assert [r.number for r in ledger.read(after=10, limit=3)] == [11, 12, 13]
    chosen = ledger.read(limit=100, filters=Filters(event="page:x:y", principal="p0", outcome="refused"))
    assert [r.entry.request_id for r in chosen] == ["r0"]
    assert [r.number for r in ledger.read(filters=Filters(request_id="r7"))] == [8]
    assert ledger.read(filters=Filters(request_id="' OR 1=1 --")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET written = CAST('{}' AS BLOB) WHERE number = 1",
        "UPDATE entries SET number = 9 WHERE number = 2",
        "DELETE FROM entries WHERE number = 2",
        "DELETE FROM entries",
        "INSERT INTO entries (number, written, seal) VALUES (9, CAST('{}' AS BLOB), x'00')",
        "INSERT OR REPLACE INTO entries (number, written, seal) VALUES (1, CAST('{}' AS BLOB), x'00')",
    ],
)
def test_the_table_refuses_changes_and_removals(ledger: Ledger, statement: str) -> None:
    """Whoever opens the file and forgets that it is append-only is refused by the file itself."""
    ledger.append(entry("a"))
    ledger.append(entry("b"))
    with sqlite3.connect(path_of(ledger)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.verify().entries == 2


def test_threads_append_one_chain(ledger: Ledger) -> None:
    """Concurrent appends each get their own number, and the chain stands."""
    numbers: list[int] = []

    def work(name: int) -> None:
        numbers.extend(ledger.append(entry(f"{name}-{i}")) for i in range(25))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 201))
    assert ledger.verify().ok


def test_processes_append_one_chain(tmp_path: Path) -> None:
    """Several processes on one file make one chain without gaps."""
    path = tmp_path / "ledger.db"
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(i), "60"], stdout=subprocess.PIPE)
        for i in range(3)
    ]
    said = [process.communicate(timeout=60)[0].split(b"\n")[:-1] for process in started]
    numbers = sorted(int(line.split()[0]) for lines in said for line in lines)
    assert numbers == list(range(1, 181))
    verdict = Ledger(path).verify()
    assert (verdict.ok, verdict.entries) == (True, 180)


def noted(note: str) -> Any:
    return lambda connection: connection.execute("INSERT INTO beside VALUES (?)", (note,))


def writer(path: Path, name: str, said: int) -> int:
    """A process of two threads that append for ever, each entry with a row beside it, and say what was kept."""
    child = os.fork()
    if child == 0:
        ledger = Ledger(path)

        def work(thread: int) -> None:
            for i in itertools.count():
                note = f"{name}-{thread}-{i}"
                number = ledger.append(entry(note), [noted(note)])
                os.write(said, f"{number} {note}\n".encode())

        for thread in range(2):
            threading.Thread(target=work, args=(thread,)).start()
        signal.pause()
    return child


def test_a_hundred_kills_lose_nothing_that_was_acknowledged(ledger: Ledger) -> None:
    """Two processes at a time are killed with -9 at any moment: the chain stands, every entry that was acknowledged is
    in it, and what was written beside an entry is there exactly with it."""
    path, chooser = path_of(ledger), random.Random(3)
    ledger._file.add("CREATE TABLE IF NOT EXISTS beside (note TEXT)")
    acknowledged: dict[int, str] = {}
    for round_ in range(100):
        read, write = os.pipe()
        children = [writer(path, f"{round_}-{which}", write) for which in "ab"]
        os.close(write)
        with os.fdopen(read, "rb") as lines:
            said = [lines.readline() for _ in range(chooser.randrange(2, 40))]
            for child in children:
                os.kill(child, signal.SIGKILL)
            said += lines.readlines()
        for child in children:
            os.waitpid(child, 0)
        for line in said:
            if line.endswith(b"\n"):
                number, note = line.decode().split()
                acknowledged[int(number)] = note
    verdict, kept = ledger.verify(), {r.number: r.entry.request_id for r in ledger.read(limit=1_000_000)}
    assert verdict.ok
    assert len(acknowledged) > 500
    assert acknowledged.items() <= kept.items()
    with ledger._file.reading() as connection:
        beside = [note for (note,) in connection.execute("SELECT note FROM beside")]
    assert sorted(beside) == sorted(kept.values())


def test_changes_in_a_copy_are_found_and_named(ledger: Ledger, tmp_path: Path) -> None:
    """Whoever has the file can drop its triggers and change rows; verification names the first of them."""
    for i in range(40):
        ledger.append(entry(f"r{i}"))
    ledger.close()
    chooser = random.Random(7)
    for attempt in range(60):
        copy = tmp_path / f"copy{attempt}.db"
        copy.write_bytes(path_of(ledger).read_bytes())
        first_bad = tamper(copy, chooser)
        verdict = Ledger(copy).verify()
        assert (verdict.ok, verdict.first_bad) == (False, first_bad)


def tamper(copy: Path, chooser: random.Random) -> int:
    connection = sqlite3.connect(copy)
    disarm(connection)
    number = chooser.randrange(1, 40)
    written = connection.execute("SELECT written FROM entries WHERE number = ?", (number,)).fetchone()[0]
    at = chooser.randrange(len(written))
    flipped = written[:at] + bytes([written[at] ^ (1 << chooser.randrange(8))]) + written[at + 1 :]
    statement, values = chooser.choice(
        [
            ("UPDATE entries SET written = ? WHERE number = ?", (flipped, number)),
            ("UPDATE entries SET written = ? WHERE number = ?", ("text where bytes were", number)),
            ("UPDATE entries SET seal = ? WHERE number = ?", (chooser.randbytes(32), number)),
            ("DELETE FROM entries WHERE number = ?", (number,)),
            ("UPDATE entries SET number = -number WHERE number = ?", (number,)),
        ]
    )
    connection.execute(statement, values)
    connection.commit()
    moved_to_front = number if "-number" not in statement else 1
    connection.close()
    return moved_to_front


def disarm(connection: sqlite3.Connection) -> None:
    """Remove everything that keeps rows from being changed, as an insider could."""
    for kind, name in connection.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall():
        if kind in {"trigger", "index"}:
            connection.execute(f"DROP {kind} {name}")


def test_a_damaged_entry_is_not_read_as_something_else(ledger: Ledger, tmp_path: Path) -> None:
    """An entry whose bytes are no longer JSON is reported by its number."""
    ledger.append(entry())
    connection = sqlite3.connect(path_of(ledger))
    disarm(connection)
    connection.execute("UPDATE entries SET written = x'00ff'")
    connection.commit()
    connection.close()
    with pytest.raises(StorageFailed, match="entry 1 is damaged"):
        ledger.read()


def test_the_ledger_fails_closed(ledger: Ledger) -> None:
    """When the file is gone an append is refused, not acknowledged."""
    ledger.append(entry())
    path_of(ledger).unlink()
    with pytest.raises(StorageFailed):
        ledger.append(entry())


def test_a_checkpoint_from_head_shows_a_cut_tail(ledger: Ledger) -> None:
    """The head that was written down elsewhere reveals that the last entries were removed."""
    for i in range(5):
        ledger.append(entry(f"r{i}"))
    checkpoint = ledger.head()
    connection = sqlite3.connect(path_of(ledger))
    connection.executescript("DROP TRIGGER no_removal; DELETE FROM entries WHERE number > 3")
    connection.close()
    assert ledger.verify().ok
    assert ledger.verify(checkpoint).first_bad == 4


def test_what_is_beside_an_entry_is_kept_with_it_or_not_at_all(ledger: Ledger) -> None:
    """A job that fails takes its entry along, comes out as it is, and fails nobody else's append."""
    ledger._file.add("CREATE TABLE IF NOT EXISTS beside (note TEXT UNIQUE)")

    def refuse(_: sqlite3.Connection) -> None:
        raise Conflict("not now")

    ledger.append(entry("first"), [noted("a"), noted("b")])
    with pytest.raises(StorageFailed, match="UNIQUE"):
        ledger.append(entry("second"), [noted("c"), noted("a")])
    with pytest.raises(Conflict):
        ledger.append(entry("third"), [noted("d"), refuse])
    assert ledger.append(entry("fourth")) == 2
    assert [r.entry.request_id for r in ledger.read()] == ["first", "fourth"]
    with ledger._file.reading() as connection:
        assert connection.execute("SELECT note FROM beside ORDER BY note").fetchall() == [("a",), ("b",)]


def changed(ledger: Ledger, statement: str) -> None:
    connection = sqlite3.connect(path_of(ledger))
    disarm(connection)
    connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE found SET principal = 'somebody else' WHERE number = 7",
        "UPDATE found SET event = 'x' WHERE number = 7",
        "UPDATE found SET outcome = 'x' WHERE number = 7",
        "UPDATE found SET request_id = 'r8' WHERE number = 7",
        "DELETE FROM found WHERE number = 7",
    ],
)
def test_what_searches_go_by_cannot_tell_another_story(ledger: Ledger, statement: str) -> None:
    """A search table that was changed is found and its first entry named; a search never answers a wrong entry."""
    for i in range(1, 12):
        ledger.append(entry(f"r{i}"))
    assert [r.number for r in ledger.read(filters=Filters(request_id="r7"))] == [7]
    assert ledger.verify().ok
    changed(ledger, statement)
    verdict = ledger.verify()
    assert (verdict.ok, verdict.first_bad, verdict.entries) == (False, 7, 11)
    assert "search table" in verdict.detail
    if "r8" in statement:
        with pytest.raises(StorageFailed, match="entry 7"):
            ledger.read(filters=Filters(request_id="r8"))


def test_a_search_finds_what_was_appended_a_moment_ago(ledger: Ledger) -> None:
    """However many entries were appended since the last search, in whatever process, all of them are searched."""
    other = Ledger(path_of(ledger))
    for i in range(AT_ONCE + 20):
        (ledger if i % 2 else other).append(entry("r", principal=f"p{i % 3}"))
        if i in {5, AT_ONCE}:
            assert ledger.read(filters=Filters(principal=f"p{i % 3}"), limit=1000)[-1].number == i + 1
    assert len(other.read(filters=Filters(request_id="r"), limit=1000)) == AT_ONCE + 20


def test_the_search_table_is_filled_without_a_search(ledger: Ledger) -> None:
    """Every thousand entries what searches go by is brought up to date in the background."""
    threads = [
        threading.Thread(target=lambda: [ledger.append(entry()) for _ in range(FILLED_EVERY // 8)]) for _ in "x" * 8
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until, filled = time.monotonic() + 20, 0
    while filled < FILLED_EVERY and time.monotonic() < until:
        with ledger._file.reading() as connection:
            (filled,) = connection.execute("SELECT COUNT(*) FROM found").fetchone()
    assert filled == FILLED_EVERY


def test_a_damaged_entry_is_not_searched_past(ledger: Ledger) -> None:
    """An entry that cannot be read stops the search with its number."""
    ledger.append(entry())
    changed(ledger, "UPDATE entries SET written = x'00ff'")
    with pytest.raises(StorageFailed, match="entry 1 is damaged"):
        ledger.read(filters=Filters(event="api:x:y"))
