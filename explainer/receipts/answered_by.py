"""Which code answered for which version: with a receipt it says under which names the answer may lie in the cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import orjson

from explainer.durable import DurableFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS answered_by (
  model_digest TEXT NOT NULL, background TEXT NOT NULL, code BLOB NOT NULL, PRIMARY KEY (model_digest, background, code)
) WITHOUT ROWID
"""
KEEP = "INSERT OR IGNORE INTO answered_by VALUES (?,?,?)"
Code = dict[str, int | str]  # method or library, and its version


class AnsweredBy:
    """A few lines for each version, each written once. Raises StorageFailed when the file cannot be used."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self._noted: set[tuple[str, str, bytes]] = set()
        file.add(SCHEMA)

    def note(self, model_digest: str, background: str, code: Mapping[str, int | str]) -> None:
        """On disk when it returns; costs nothing but for the first time in a process."""
        line = (model_digest, background, orjson.dumps(code, option=orjson.OPT_SORT_KEYS))
        if line in self._noted:
            return

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(KEEP, line)

        self._file.write(keep)
        self._noted.add(line)

    def of(self, model_digest: str) -> list[tuple[str, Code]]:
        """Digest of the background and code of every answer that may have been given for the version."""
        query = "SELECT background, code FROM answered_by WHERE model_digest = ?"
        with self._file.reading() as connection:
            return [(row[0], orjson.loads(row[1])) for row in connection.execute(query, (model_digest,))]
