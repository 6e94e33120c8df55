"""Takes in the receipts that earlier versions of the service kept in a file of their own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explainer.durable import DurableFile
from explainer.errors import StorageFailed
from explainer.receipts.written import COLUMNS, checksum, content_of

log = logging.getLogger(__name__)

LAYOUT = 1
AT_ONCE = 200
PAGE = f"SELECT {COLUMNS}, checksum FROM receipts WHERE id > ? ORDER BY id LIMIT {AT_ONCE}"  # noqa: S608
INSERT = f"INSERT OR IGNORE INTO receipts ({COLUMNS}, checksum, content) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
BACKGROUNDS = "INSERT OR IGNORE INTO backgrounds (digest, features, data) VALUES (?,?,?)"


def take_in(file: DurableFile, earlier: Path) -> int:
    """Copy every receipt of `earlier` into `file`, look it up there, and only then remove `earlier`; return how many.

    A receipt that is damaged is taken in as it is, and stays damaged. Cut short at any moment, it is done again by the
    next call. Raises StorageFailed when the file cannot be read or written; then `earlier` is still there.
    """
    if not earlier.exists():
        return 0
    try:
        taken, damaged = _copied(file, earlier)
        for part in (earlier, *(earlier.with_name(earlier.name + end) for end in ("-wal", "-shm", ".lock"))):
            part.unlink(missing_ok=True)
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise StorageFailed(f"The receipts in {earlier} could not be taken in: {error}. Restore a backup.") from error
    log.info("%d receipts of %s were taken into %s, %d of them damaged", taken, earlier.name, file.path.name, damaged)
    return taken


def _copied(file: DurableFile, earlier: Path) -> tuple[int, int]:
    source = sqlite3.connect(earlier, isolation_level=None)
    try:
        (layout,) = source.execute("PRAGMA user_version").fetchone()
        if layout != LAYOUT:
            raise StorageFailed(f"{earlier} has layout {layout}, receipts of layout {LAYOUT} can be taken in.")
        if source.execute("SELECT 1 FROM sqlite_master WHERE name = 'backgrounds'").fetchone():
            rows = source.execute("SELECT digest, features, data FROM backgrounds").fetchall()
            file.write(lambda connection: connection.executemany(BACKGROUNDS, rows))
        last, taken, damaged = "", 0, 0
        while page := source.execute(PAGE, (last,)).fetchall():
            file.write(lambda connection, page=page: _insert(connection, page))  # type: ignore[misc]
            last, taken = page[-1][0], taken + len(page)
            damaged += sum(kept != checksum(record) for *record, kept in page)
        return taken, damaged
    finally:
        source.close()


def _insert(connection: sqlite3.Connection, page: Sequence[Any]) -> None:
    connection.executemany(INSERT, [(*row, content_of(row[:-1])) for row in page])
    for row in page:
        found = connection.execute("SELECT checksum FROM receipts WHERE id = ?", (row[0],)).fetchone()
        if found[0] != row[-1]:
            raise StorageFailed(f"Receipt {row[0]} is there already, with another content.")
