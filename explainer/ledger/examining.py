"""Looks through a whole ledger, in use or a copy: chain, tree, checkpoints, and what searches go by."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from explainer.errors import InvalidOption, StorageFailed
from explainer.ledger.chain import Head, Link, Verdict, verify
from explainer.ledger.merkle import Growing
from explainer.ledger.notes import Checkpoint, PublicKey, read_note, signed_by
from explainer.ledger.search import misfit, sound
from explainer.ledger.tree import Compared

Lend = Callable[[], AbstractContextManager[sqlite3.Connection]]

PAGE = 2000  # entries read at a time: a long reader would keep SQLite from tidying its log


@dataclass(frozen=True, slots=True)
class Against:
    """What a ledger is held against beside itself: checkpoints and a head that were kept, and the key that signs."""

    checkpoints: Sequence[Checkpoint] = ()
    head: Head | None = None
    key: PublicKey | None = None


def examine(lend: Lend, against: Against) -> Verdict:
    """Recompute everything in constant memory. Raises StorageFailed when nothing can be read at all."""
    with lend() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in connection.execute(query).fetchall()}
        if "entries" not in tables:
            raise StorageFailed("This file holds no ledger.")
        kept, forged = _kept(connection, against.key) if "checkpoints" in tables else ({}, "")
    told_otherwise: list[int] = []
    links = _links(lend, told_otherwise if "found" in tables else None)
    with lend() as connection:
        tree = Compared(connection) if "tree" in tables else Growing()
        verdict = _disagreeing(kept, against.checkpoints) or verify(links, against.head, kept, tree)
    if not verdict.ok:
        return verdict
    if forged:
        return replace(verdict, ok=False, detail=forged)
    if isinstance(tree, Compared) and tree.differs is not None:
        detail = f"the chain is whole, but a subtree from entry {tree.differs} on is kept with another root"
        return replace(verdict, ok=False, first_bad=tree.differs, detail=detail)
    return _searched(lend, verdict, told_otherwise) if "found" in tables else verdict


def _disagreeing(kept: dict[int, bytes], given: Sequence[Checkpoint]) -> Verdict | None:
    """Adds the given checkpoints to those that are kept; where they contradict one another nothing can be whole."""
    for checkpoint in given:
        if kept.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            detail = f"two checkpoints of {checkpoint.size} entries differ: the ledger was rewritten"
            return Verdict(False, 0, None, checkpoint.size, detail)
    return None


def _kept(connection: sqlite3.Connection, key: PublicKey | None) -> tuple[dict[int, bytes], str]:
    """The roots of the checkpoints in the file, and what is wrong with the first that is not as it was signed."""
    roots: dict[int, bytes] = {}
    try:
        rows = connection.execute("SELECT size, note FROM checkpoints WHERE size > 0 ORDER BY size").fetchall()
    except sqlite3.Error as error:
        return {}, f"the checkpoints that are kept cannot be read: {error}"
    for size, note in rows:
        try:
            found = read_note(str(note))
            if key is not None and found.origin == key.name:
                signed_by(str(note), key)
        except InvalidOption as error:
            return {}, f"the chain is whole, but the checkpoint of {size} entries that is kept is not: {error.detail}"
        if found.size != size:
            return {}, f"the chain is whole, but the checkpoint kept for {size} entries is one of {found.size}"
        roots[size] = found.root
    return roots, ""


def _searched(lend: Lend, verdict: Verdict, told_otherwise: list[int]) -> Verdict:
    with lend() as connection:
        whole = sound(connection)
    if not told_otherwise and whole:
        return verdict
    first = min(told_otherwise, default=None)
    which = f"entry {first}" if first else "every entry"
    detail = f"the chain is whole, but the search table does not tell {which} as it was sealed"
    return replace(verdict, ok=False, first_bad=first, detail=detail)


def _links(lend: Lend, told_otherwise: list[int] | None) -> Iterator[Link]:
    first = -(2**63)
    while True:
        links, unreadable = _page(lend, first)
        yield from links  # whoever reads on has found them sealed as they are
        if unreadable is not None:
            yield Link(unreadable, b"", b"")
        if not links or unreadable is not None:
            return
        if told_otherwise is not None:
            with lend() as connection:
                if (number := misfit(connection, links)) is not None:
                    told_otherwise.append(number)
        first = links[-1].number + 1


def _page(lend: Lend, first: int) -> tuple[list[Link], int | None]:
    """Entries from `first` on; where the file is damaged, those before the damage, and the number that comes next."""
    try:
        return _read(lend, first, PAGE), None
    except StorageFailed:
        found: list[Link] = []
        try:
            while len(found) < PAGE and (one := _read(lend, first, 1)):
                found, first = found + one, one[-1].number + 1
        except StorageFailed:
            return found, max(first, 1)
        return found, None


def _read(lend: Lend, first: int, limit: int) -> list[Link]:
    query = "SELECT number, written, seal FROM entries WHERE number >= ? ORDER BY number LIMIT ?"
    with lend() as connection:
        return [Link(n, _bytes(w), _bytes(s)) for n, w, s in connection.execute(query, (first, limit))]


def _bytes(stored: object) -> bytes:
    return stored if isinstance(stored, bytes) else str(stored).encode()
