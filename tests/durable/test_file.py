"""Proves what a durable file promises: durable when acknowledged, one file for many writers, failing closed."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from explainer.durable import DurableFile
from explainer.errors import Conflict, StorageFailed

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"


def note(file: DurableFile, text: str) -> int:
    return file.write(lambda c: c.execute("INSERT INTO notes (text) VALUES (?)", (text,)).lastrowid or 0)


def notes(file: DurableFile) -> list[str]:
    with file.reading() as connection:
        return [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY id")]


@pytest.fixture
def file(tmp_path: Path) -> DurableFile:
    return DurableFile(tmp_path / "deep" / "notes.db", SCHEMA)


def test_what_was_written_is_there_after_reopening(file: DurableFile) -> None:
    """A write returns its job's result, and another opening of the file reads it."""
    assert note(file, "first") == 1
    file.close()
    assert notes(DurableFile(file.path, SCHEMA)) == ["first"]


def test_the_file_and_its_companions_are_private(file: DurableFile) -> None:
    """Nobody but the owner can read the file or its write-ahead log."""
    note(file, "secret")
    modes = {stat.S_IMODE(part.stat().st_mode) for part in file.path.parent.iterdir()}
    assert modes == {0o600}


def test_each_commit_is_flushed_to_the_disk(file: DurableFile) -> None:
    """The writer runs in the mode in which SQLite syncs its log at every commit, not only now and then."""
    modes = file.write(
        lambda c: [c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert modes == ["wal", 2]


def test_a_failing_job_undoes_itself_and_nothing_else(file: DurableFile) -> None:
    """Jobs of one transaction do not fail one another; the failing caller gets its own error."""
    outcomes: dict[int, object] = {}
    gate = threading.Barrier(12)

    def work(i: int) -> None:
        def job(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT INTO notes (text) VALUES (?)", (f"note {i}",))
            if i % 3 == 0:
                raise Conflict(f"number {i}")
            return i

        gate.wait()
        try:
            outcomes[i] = file.write(job)
        except Conflict as error:
            outcomes[i] = error.detail

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {i: f"number {i}" if i % 3 == 0 else i for i in range(12)}
    assert sorted(notes(file)) == sorted(f"note {i}" for i in range(12) if i % 3)


def test_a_violated_constraint_is_a_storage_failure(file: DurableFile) -> None:
    """What SQLite refuses reaches the caller as StorageFailed, and the file goes on working."""
    note(file, "once")
    with pytest.raises(StorageFailed, match="UNIQUE"):
        note(file, "once")
    note(file, "twice")
    assert notes(file) == ["once", "twice"]


def test_a_job_that_breaks_off_leaves_no_open_transaction(file: DurableFile) -> None:
    """A programming error inside a job comes out as itself; the half-done statement is undone."""

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('half')")
        raise KeyError("bug")

    with pytest.raises(KeyError):
        file.write(broken)
    note(file, "after")
    assert notes(file) == ["after"]


def test_a_reader_cannot_write(file: DurableFile) -> None:
    """The lent connection refuses to change anything."""
    with pytest.raises(StorageFailed, match="readonly"), file.reading() as connection:
        connection.execute("INSERT INTO notes (text) VALUES ('sly')")
    assert notes(file) == []


def test_a_replaced_file_is_noticed(file: DurableFile) -> None:
    """A write into a file that no longer has its name is refused: it would be lost."""
    note(file, "kept")
    file.path.unlink()
    with pytest.raises(StorageFailed):
        note(file, "lost")
    DurableFile(file.path, SCHEMA)
    with pytest.raises(StorageFailed, match="replaced"):
        note(file, "lost too")


def test_a_file_of_another_layout_is_refused(file: DurableFile) -> None:
    """A file written by a newer program is not touched."""
    with pytest.raises(StorageFailed, match="layout 1"):
        DurableFile(file.path, SCHEMA, version=2)


@pytest.mark.parametrize(
    "content", [b"this is not a database, but long enough to look at" * 100, b"SQLite format 3\0" * 400]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that SQLite cannot read is refused with its name, and left as it is."""
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(StorageFailed, match=r"notes\.db"):
        note(DurableFile(path, SCHEMA), "x")
    assert path.read_bytes()[:16] == content[:16]


def test_a_full_disk_fails_the_write_and_only_that(tmp_path: Path) -> None:
    """When no page can be added the caller is told; what was there stays readable."""
    file = DurableFile(tmp_path / "notes.db", SCHEMA)
    note(file, "kept")
    file.write(lambda c: c.execute("PRAGMA max_page_count=4").fetchone())
    with pytest.raises(StorageFailed, match="full"):
        note(file, "x" * 100_000)
    assert notes(file) == ["kept"]


def test_tables_can_be_added_by_another_room(file: DurableFile) -> None:
    """Two rooms keep their tables in one file and write to both in one transaction; adding twice is nothing."""
    for _ in range(2):
        file.add("CREATE TABLE IF NOT EXISTS others (text TEXT)")

    def both(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO others VALUES ('other')")
        connection.execute("INSERT INTO notes (text) VALUES ('note')")

    file.write(both)
    with pytest.raises(StorageFailed):
        file.write(both)  # the second note is refused, and with it what was written before it
    with file.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM others").fetchone() == (1,)


def test_closing_lets_nobody_wait(file: DurableFile) -> None:
    """Threads that write while the file is closed end: with what was kept, or with StorageFailed."""
    kept: list[str] = []

    def work(name: int) -> None:
        try:
            for i in range(10_000):
                note(file, f"{name}-{i}")
                kept.append(f"{name}-{i}")
        except StorageFailed:
            return

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    while len(kept) < 30:
        pass
    file.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert set(notes(DurableFile(file.path, SCHEMA))) == set(kept)


def test_a_locked_file_is_a_failed_storage(tmp_path: Path) -> None:
    """Somebody who holds the file locked makes writes fail after the patience, and leaves the file usable."""
    file = DurableFile(tmp_path / "notes.db", SCHEMA, busy_timeout_s=0.2)
    other = sqlite3.connect(file.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed, match="locked"):
        note(file, "refused")
    other.execute("ROLLBACK")
    other.close()
    note(file, "kept")
    assert notes(file) == ["kept"]


def test_use_after_close_is_refused(file: DurableFile) -> None:
    """A closed file neither reads nor writes."""
    file.close()
    with pytest.raises(StorageFailed, match="closed"):
        note(file, "late")
    with pytest.raises(StorageFailed, match="closed"):
        notes(file)


def test_a_forked_process_writes_by_its_own_connections(file: DurableFile) -> None:
    """Parent and forked child write the same file; nothing of either is lost."""
    note(file, "parent before")
    notes(file)
    child = os.fork()
    if child == 0:
        note(file, "child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    note(file, "parent after")
    assert notes(file) == ["parent before", "child", "parent after"]


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    """The switch to the write-ahead log is waited for, not failed, when several processes begin together."""
    code = (
        "import sys; from pathlib import Path; from explainer.durable import DurableFile\n"
        "sys.stdin.read()\n"
        f"f = DurableFile(Path(sys.argv[1]), {SCHEMA!r})\n"
        "insert = 'INSERT INTO notes (text) VALUES (?)'\n"
        "[f.write(lambda c: c.execute(insert, (f'{sys.argv[2]} {i}',))) for i in range(20)]"
    )
    path = tmp_path / "notes.db"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(i)], stdin=subprocess.PIPE) for i in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(30) for process in started] == [0, 0, 0, 0]
    assert len(notes(DurableFile(path, SCHEMA))) == 80


def test_no_acknowledged_write_is_lost_to_kill_9(tmp_path: Path) -> None:
    """Whatever the process said was written before it was killed is there, whole, afterwards."""
    code = (
        "import os, sys, itertools, threading; from pathlib import Path; from explainer.durable import DurableFile\n"
        f"f = DurableFile(Path(sys.argv[1]), {SCHEMA!r})\n"
        "def go(t):\n"
        "  for i in itertools.count():\n"
        "    text = f'{sys.argv[2]}-{t}-{i}'\n"
        "    f.write(lambda c: c.execute('INSERT INTO notes (text) VALUES (?)', (text,)))\n"
        "    os.write(1, (text + '\\n').encode())\n"
        "[threading.Thread(target=go, args=(t,)).start() for t in range(3)]"
    )
    path = tmp_path / "notes.db"
    for round_ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code, str(path), str(round_)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(20 + 37 * round_)]
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait()
        acknowledged = {line.decode().strip() for line in said if line.endswith(b"\n")}
        assert acknowledged <= set(notes(DurableFile(path, SCHEMA)))


def test_a_backup_is_one_whole_file(file: DurableFile, tmp_path: Path) -> None:
    """The copy has everything that was written, is private, and opens by itself; its source goes on."""
    note(file, "before")
    file.backup_to(tmp_path / "copy.db")
    note(file, "after")
    assert [p.name for p in tmp_path.glob("copy.db*")] == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert notes(DurableFile(tmp_path / "copy.db", SCHEMA)) == ["before"]
    assert notes(file) == ["before", "after"]


def test_a_backup_under_load_is_a_moment(file: DurableFile, tmp_path: Path) -> None:
    """While threads write pairs in one transaction each, no copy ever holds half a pair."""
    stop = threading.Event()

    def pair(connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("SELECT COUNT(*) FROM notes").fetchone()
        for side in ("left", "right"):
            connection.execute("INSERT INTO notes (text) VALUES (?)", (f"{side} {count}",))

    def work() -> None:
        while not stop.is_set():
            file.write(pair)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for i in range(5):
            file.backup_to(tmp_path / f"copy-{i}.db")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for i in range(5):
        found = notes(DurableFile(tmp_path / f"copy-{i}.db", SCHEMA))
        assert sum(text.startswith("left") for text in found) * 2 == len(found)


def test_a_backup_that_cannot_be_written_is_a_failed_storage(file: DurableFile, tmp_path: Path) -> None:
    """A folder in the way and a source that is closed are said as such."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageFailed):
        file.backup_to(tmp_path / "folder")
    file.close()
    with pytest.raises(StorageFailed):
        file.backup_to(tmp_path / "copy.db")
