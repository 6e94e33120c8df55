"""The tier on disk: a SQLite file that may be lost or damaged at any time and then only costs computing anew."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from explainer.durable import create_private

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL, checksum BLOB NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_use ON entries (used)
"""
LARGEST = 32 << 20  # bytes of one value; also the most that SQLite may read for one, whatever a damaged file claims
EVICT_AT_ONCE = 64
TOUCHES_HELD = 1000
# What the machine does to a sound file. Any other error means that the file is not what this class wrote.
TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
    }
)


class DiskTier:
    """Keeps the file at about `max_bytes`; safe for threads and processes; no error of the file leaves this class.

    Each value carries a checksum over key and value. What cannot be read or does not fit its checksum is a miss with
    a log line; a damaged file is moved to `<name>.damaged` and a new one begun; after an error of the disk the tier
    rests for `rest_s` seconds.
    """

    def __init__(self, path: Path, max_bytes: int, *, rest_s: float = 30.0, busy_timeout_s: float = 2.0) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._rest_s = rest_s
        self._busy_timeout_s = busy_timeout_s
        self._rests_until = 0.0
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = (0, 0)  # process and inode that the connection belongs to
        self._inherited: list[sqlite3.Connection | None] = []
        self._touched: dict[bytes, int] = {}

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with self._lock:
            self._guarded(lambda connection: self._read(connection, keys, found))
            if len(self._touched) > TOUCHES_HELD:
                self._guarded(lambda connection: self._write(connection, {}))
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        largest = min(LARGEST // 2, self._max_bytes // 4)
        kept = {key: value for key, value in values.items() if len(value) <= largest}
        if kept:
            with self._lock:
                self._guarded(lambda connection: self._write(connection, kept))

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            self._let_go()

    def _guarded(self, action: Callable[[sqlite3.Connection], None]) -> None:
        if time.monotonic() < self._rests_until:
            return
        try:
            action(self._connected())
        except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite quotes rubbish in its messages
            code = getattr(error, "sqlite_errorcode", None)
            if code is not None and code & 0xFF in TRANSIENT:
                self._rest(error)
            else:
                self._set_aside(error)
        except (OSError, MemoryError) as error:
            self._rest(error)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._owner[0] != os.getpid():
            self._inherited.append(self._connection)  # the parent's: closing it here would harm the parent
            self._connection = None
        if self._connection is None:
            create_private(self._path)
            with self._alone():
                self._open()
        assert self._connection is not None
        return self._connection

    def _open(self) -> None:
        self._owner = (os.getpid(), self._path.stat().st_ino)
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "journal_size_limit=4194304"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(SCHEMA)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off other processes that would open the file or move it away at this moment."""
        with self._path.with_name(self._path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, connection: sqlite3.Connection, keys: Iterable[bytes], found: dict[bytes, bytes]) -> None:
        now = time.time_ns()
        for key in keys:
            row = connection.execute("SELECT value, checksum FROM entries WHERE key = ?", (key,)).fetchone()
            if row is None:
                continue
            value, checksum = row
            if isinstance(value, bytes) and checksum == _checksum(key, value):
                found[key] = value
                self._touched[key] = now
            else:
                log.warning("cache %s: an entry does not fit its checksum; it is computed anew", self._path)
                connection.execute("DELETE FROM entries WHERE key = ?", (key,))

    def _write(self, connection: sqlite3.Connection, values: Mapping[bytes, bytes]) -> None:
        now = time.time_ns()
        touched, self._touched = self._touched, {}
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE entries SET used = ? WHERE key = ?", [(t, key) for key, t in touched.items()])
        connection.executemany(
            "INSERT OR REPLACE INTO entries (key, value, checksum, used) VALUES (?, ?, ?, ?)",
            [(key, value, _checksum(key, value), now) for key, value in values.items()],
        )
        self._evict(connection)
        connection.execute("COMMIT")

    def _evict(self, connection: sqlite3.Connection) -> None:
        oldest = "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY used, id LIMIT ?)"
        while self._bytes_used(connection) > self._max_bytes:
            if connection.execute(oldest, (EVICT_AT_ONCE,)).rowcount <= 0:
                return

    def _bytes_used(self, connection: sqlite3.Connection) -> int:
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def _rest(self, error: Exception) -> None:
        log.warning("cache %s is not used for %.0f s: %s", self._path, self._rest_s, error)
        self._let_go()
        self._rests_until = time.monotonic() + self._rest_s

    def _set_aside(self, error: Exception) -> None:
        log.warning("cache %s is damaged (%s): it is moved to %s.damaged", self._path, error, self._path.name)
        inode = self._owner[1]
        self._let_go()
        try:
            with self._alone():
                if self._path.exists() and self._path.stat().st_ino == inode:
                    self._move_away()
        except OSError as failure:
            self._rest(failure)

    def _move_away(self) -> None:
        # The log first: left behind, it would be replayed into the new file.
        for suffix in ("-wal", "-shm", ""):
            part = self._path.with_name(self._path.name + suffix)
            if part.exists():
                part.replace(self._path.with_name(f"{self._path.name}.damaged{suffix}"))

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._owner[0] == os.getpid():
            try:
                connection.close()
            except sqlite3.Error as error:
                log.warning("cache %s was not closed cleanly: %s", self._path, error)


def _checksum(key: bytes, value: bytes) -> bytes:
    return blake2b(value, key=key[:64], digest_size=16).digest()
