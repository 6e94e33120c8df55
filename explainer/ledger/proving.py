"""Signed checkpoints, and proofs that an entry is in them and that one is the beginning of another."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from functools import cached_property

from explainer.durable import DurableFile
from explainer.errors import InvalidOption, NotFound, StorageFailed
from explainer.ledger.merkle import consistency, inclusion, leaf, root
from explainer.ledger.notes import read_note, signed_by
from explainer.ledger.signing import Signer, signer
from explainer.ledger.tree import fill, subtrees

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as text to keep elsewhere (`note`), its parts, and the key that checks it."""

    note: str
    origin: str
    size: int
    root: str
    key: str


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Hashes in hexadecimal that lead from the leaf of entry `number` (leaf `index`) to the root of `size` entries."""

    number: int
    index: int
    size: int
    written: str
    leaf: str
    root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """Hashes in hexadecimal that show the tree of `first` entries to be the beginning of that of `second`."""

    first: int
    second: int
    first_root: str
    second_root: str
    path: tuple[str, ...]


class Proofs:
    """Reads the ledger's file and keeps the checkpoints that it signs there. Raises StorageFailed."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file

    @cached_property
    def signer(self) -> Signer:
        """The key beside the ledger's file, made at first use."""
        return signer(self._file.path.parent)

    def checkpoint(self, size: int | None = None) -> Signed:
        """Sign the tree of `size` entries (default: all) and keep the note. Raises InvalidOption for more than all."""
        fill(self._file)
        with self._file.reading() as connection:
            of = _size(connection) if not size else _within(connection, size)
            found = root(subtrees(connection), of)
        note = self.signer.sign(of, found)
        keep = "INSERT OR IGNORE INTO checkpoints (size, note) VALUES (?, ?)"
        self._file.write(lambda connection: connection.execute(keep, (of, note)))
        return Signed(note, self.signer.public.name, of, found.hex(), str(self.signer.public))

    def newest(self) -> Signed | None:
        """The largest checkpoint that is kept in the file; `key` is empty for one that another key has signed."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        if row is None:
            return None
        own = self.signer.public
        try:
            found = read_note(row[1])
            key = "" if found.origin != own.name else str(own)
            if key:
                signed_by(row[1], own)
        except InvalidOption as error:
            raise StorageFailed(f"A checkpoint in the ledger's file is damaged ({error.detail}): verify it.") from None
        return Signed(row[1], found.origin, found.size, found.root.hex(), key)

    def inclusion(self, number: int, size: int | None = None) -> Inclusion:
        """Prove that an entry is in the tree of `size` entries (default: all). Raises NotFound, InvalidOption."""
        fill(self._file)
        with self._file.reading() as connection:
            of = _within(connection, size)
            row = connection.execute("SELECT written FROM entries WHERE number = ?", (number,)).fetchone()
            if row is None:
                raise NotFound(f"There is no ledger entry {number}.")
            if number > of:
                raise InvalidOption(f"size: entry {number} is not among the first {of} entries.")
            at = subtrees(connection)
            path = tuple(h.hex() for h in inclusion(at, number - 1, of))
            written, whole = bytes(row[0]), root(at, of)
        return Inclusion(number, number - 1, of, written.decode(), leaf(written).hex(), whole.hex(), path)

    def consistency(self, first: int, second: int | None = None) -> Consistency:
        """Prove that nothing of the first entries has changed since. Raises InvalidOption."""
        fill(self._file)
        with self._file.reading() as connection:
            of = _within(connection, second)
            if not 0 < first <= of:
                raise InvalidOption(f"first: a ledger of {of} entries has no beginning of {first} entries.")
            at = subtrees(connection)
            path = tuple(h.hex() for h in consistency(at, first, of))
            return Consistency(first, of, root(at, first).hex(), root(at, of).hex(), path)

    def keep_up(self) -> None:
        """Bring the tree up to date and sign it; trouble is logged, the next one does it."""
        try:
            self.checkpoint()
        except StorageFailed as error:
            log.warning("the ledger was not signed, the next checkpoint does it: %s", error.detail)


def _size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM entries").fetchone()[0])


def _within(connection: sqlite3.Connection, size: int | None) -> int:
    there = _size(connection)
    if size is not None and not 0 < size <= there:
        raise InvalidOption(f"size: the ledger has {there} entries, so there is no tree of {size}.")
    return there if size is None else size
