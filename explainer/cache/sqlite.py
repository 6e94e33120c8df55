"""The tier on disk, which the processes of a host share: a lost or damaged file only costs computing anew."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from explainer.cache.counts import Counts
from explainer.cache.cover import Checked, Cover, uncovered
from explainer.cache.file import LARGEST, LossyFile
from explainer.cache.lifetime import Lifetime
from explainer.cache.ports import Entry

log = logging.getLogger(__name__)

LAYOUT = 2
SCHEMA = """
DROP TABLE IF EXISTS entries;
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  name BLOB NOT NULL UNIQUE,
  entry BLOB NOT NULL,
  written INTEGER NOT NULL,
  used INTEGER NOT NULL
);
CREATE INDEX by_use ON entries (used);
CREATE INDEX by_age ON entries (written)
"""
READ_AT_ONCE = 256
REMOVED_AT_ONCE = 64
TOUCHES_HELD = 10_000
TRIES = 3  # to empty the log, each as long as a writer waits
LATEST = 2**62  # of `used`, whatever a damaged file claims
Row = tuple[bytes, bytes, int]  # name, covered entry, written
Read = tuple[bytes, object]  # name, and what should be a covered entry


class DiskTier:
    """Keeps the file at about `max_bytes`; safe for threads and processes; no error of the file leaves this class.

    What is put is seen by every process that has the file open as soon as `put` returns. What cannot be read or
    uncovered is a miss with a log line. Under a cover with an id the file is `<stem>-<id><suffix>`, and files of other
    covers beside it are removed: nothing stays in the clear once a key is set.
    """

    name = "disk"

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        *,
        cover: Cover | None = None,
        lifetime: Lifetime | None = None,
        rest_s: float = 30.0,
        busy_timeout_s: float = 2.0,
    ) -> None:
        self._cover = cover or Checked()
        self._max_bytes = max_bytes
        self._lifetime = lifetime or Lifetime()
        own = path.with_name(f"{path.stem}-{self._cover.id}{path.suffix}") if self._cover.id else path
        self._remove_other_covers = partial(_remove_other_covers, path, own)
        self._remove_other_covers()
        self._file = LossyFile(own, SCHEMA, LAYOUT, rest_s=rest_s, busy_timeout_s=busy_timeout_s)
        self._touched: dict[bytes, None] = {}
        self._counts = Counts("hits", "misses", "errors", "evictions", "expired", "broken")

    @property
    def path(self) -> Path:
        """The file, which the cover names."""
        return self._file.path

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        names = {self._cover.name(key): key for key in keys}
        rows: list[Read] = []
        if not self._file.read(lambda connection: _select(connection, list(names), rows)):
            self._counts.add("errors")
        found, broken = self._uncover(names, rows)
        self._counts.found(len(found), len(names))
        if broken:
            self.remove(broken)
        return found

    def put(self, entries: Mapping[bytes, Entry]) -> None:
        """Keep the entries and tidy up: note what was used, remove what is too old, keep to the bound."""
        if not entries:
            self._remove_other_covers()  # a process that ends only now may have made one
        largest = min(LARGEST // 2, self._max_bytes // 4)
        rows = [
            (self._cover.name(key), self._cover.wrap(key, entry), entry.written_ms)
            for key, entry in entries.items()
            if len(entry.value) <= largest
        ]
        if not self._file.write(lambda connection: self._write(connection, rows)):
            self._counts.add("errors")

    def remove(self, keys: Iterable[bytes]) -> None:
        names = [(self._cover.name(key),) for key in keys]
        self._file.write(lambda connection: _delete(connection, names))

    def erase(self, keys: Iterable[bytes]) -> bool:
        """Remove, overwrite, and empty the file's log; False where others kept that busy or the file cannot be used."""
        names = [(self._cover.name(key),) for key in keys]
        if not names:
            return True
        return self._file.write(lambda connection: _overwrite(connection, names)) and self._emptied()

    def stats(self) -> dict[str, int]:
        used = [0]
        self._file.read(lambda connection: used.append(_bytes_used(connection)))
        return {**self._counts.now(), "bytes": used[-1]}

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._file.close()

    def _emptied(self) -> bool:
        return any(self._empty() for _ in range(TRIES))

    def _empty(self) -> bool:
        """Write the log back into the file and cut it; False while somebody reads what it holds."""
        busy = [1]
        self._file.read(lambda c: busy.append(c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]))
        return not busy[-1]

    def _uncover(self, names: Mapping[bytes, bytes], rows: list[Read]) -> tuple[dict[bytes, Entry], list[bytes]]:
        found: dict[bytes, Entry] = {}
        broken: list[bytes] = []
        for name, written in rows:
            key = names[name]
            entry = uncovered(self._cover, key, written)
            if isinstance(entry, Entry):
                found[key] = entry
                if len(self._touched) < TOUCHES_HELD:
                    self._touched[name] = None
            else:
                broken.append(key)
                why = entry
        if broken:
            log.warning("cache %s: %d entries are computed anew: %s", self._file.path, len(broken), why)
            self._counts.add("broken", len(broken))
        return found, broken

    def _write(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        touched, self._touched = self._touched, {}
        latest = connection.execute("SELECT MAX(used) FROM entries").fetchone()[0]
        now = min(latest, LATEST) + 1 if isinstance(latest, int) else 0  # not the clock's: that may jump
        connection.executemany("UPDATE entries SET used = ? WHERE name = ?", [(now, name) for name in touched])
        connection.executemany(
            "INSERT OR REPLACE INTO entries (name, entry, written, used) VALUES (?, ?, ?, ?)",
            [(*row, now) for row in rows],
        )
        self._expire(connection)
        self._evict(connection)

    def _expire(self, connection: sqlite3.Connection) -> None:
        for test, bound in zip("<>", self._lifetime.bounds_ms() or (), strict=False):
            gone = connection.execute(f"DELETE FROM entries WHERE written {test} ?", (bound,)).rowcount  # noqa: S608
            self._counts.add("expired", max(gone, 0))

    def _evict(self, connection: sqlite3.Connection) -> None:
        oldest = "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY used, id LIMIT ?)"
        while _bytes_used(connection) > self._max_bytes:
            gone = connection.execute(oldest, (REMOVED_AT_ONCE,)).rowcount
            if gone <= 0:
                return
            self._counts.add("evictions", gone)


def _select(connection: sqlite3.Connection, names: list[bytes], rows: list[Read]) -> None:
    for start in range(0, len(names), READ_AT_ONCE):
        some = names[start : start + READ_AT_ONCE]
        places = 1 << (len(some) - 1).bit_length()  # few lengths, so that prepared statements are found again
        found = connection.execute(_query(places), some + some[-1:] * (places - len(some))).fetchall()
        if not {name for name, _ in found} <= set(some):
            raise sqlite3.DatabaseError("an index names other rows than the table")
        rows += found


@cache
def _query(places: int) -> str:
    return f"SELECT name, entry FROM entries WHERE name IN ({','.join('?' * places)})"  # noqa: S608


def _delete(connection: sqlite3.Connection, names: list[tuple[bytes]]) -> None:
    connection.executemany("DELETE FROM entries WHERE name = ?", names)


def _overwrite(connection: sqlite3.Connection, names: list[tuple[bytes]]) -> None:
    """What is removed now is overwritten with zeros; elsewhere nobody pays for that."""
    connection.execute("PRAGMA secure_delete=ON")
    try:
        _delete(connection, names)
    finally:
        connection.execute("PRAGMA secure_delete=OFF")


def _bytes_used(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _remove_other_covers(path: Path, own: Path) -> None:
    form = re.compile(
        rf"({re.escape(path.stem)}(?:-[0-9a-f]{{16}})?{re.escape(path.suffix)})(-wal|-shm|\.lock|\.damaged.*)?"
    )
    try:
        for other in list(path.parent.iterdir()) if path.parent.is_dir() else []:
            if (match := form.fullmatch(other.name)) and match[1] != own.name:
                other.unlink(missing_ok=True)
                log.info("%s was removed: the cache is kept under another key now", other)
    except OSError as error:
        log.error("The cache of another key could not be removed, see to it: %s", error)
