"""The hash chain as pure functions: how an entry is written down, how it is sealed, and how a break is found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import orjson

from explainer.errors import StorageFailed
from explainer.ledger.merkle import Growing, leaf
from explainer.records import LedgerEntry

GENESIS = sha256(b"explainer ledger, form 1").digest()
EVENT = re.compile(r"[a-z0-9_-]+:[a-z0-9_-]+:[a-z0-9_-]+")
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as it is kept: its number (from 1), its canonical bytes, and the seal over both and all before."""

    number: int
    written: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry's number and seal in hexadecimal: a checkpoint, when it is kept outside the ledger."""

    number: int
    seal: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` stand whole before the end or before the first bad entry; `head` is the last whole one's seal.

    `root` is that of the Merkle tree over all entries, where all stand whole.

    `first_bad` numbers the first entry that does not fit, where one can be named; `detail` says in a sentence what was
    found.
    """

    ok: bool
    entries: int
    head: str | None
    first_bad: int | None = None
    detail: str = ""
    root: str | None = None


class Tree(Protocol):
    """What takes in the entries' hashes one after the other."""

    def add(self, hashed: bytes) -> None: ...

    def root(self) -> bytes: ...


def canonical(entry: LedgerEntry, at: str) -> bytes:
    """Return the bytes that are sealed: JSON in UTF-8, keys in code-point order, no spaces, shortest decimals.

    Text beyond 500 characters is cut and says so. Raises StorageFailed for what cannot be written unchanged:
    an event that is not `source:subject:action`, NaN or infinity, an integer beyond 64 bits, unpaired surrogates.
    """
    if not EVENT.fullmatch(entry.event):
        raise StorageFailed(f"Ledger event {entry.event[:80]!r} is not of the form source:subject:action.")
    if any(isinstance(v, float) and not math.isfinite(v) for v in entry.body.values()):
        raise StorageFailed(f"Ledger entry {entry.event}: its body holds a number that is not finite.")
    record = {
        "at": at,
        "body": {name: _short(value) for name, value in entry.body.items()},
        "event": entry.event,
        "outcome": _short(entry.outcome),
        "principal": _short(entry.principal),
        "request_id": _short(entry.request_id),
    }
    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise StorageFailed(f"Ledger entry {entry.event} cannot be written as JSON: {error}.") from error


def seal(before: bytes, number: int, written: bytes) -> bytes:
    """Return SHA-256 over the seal before, the entry's number (8 bytes, big-endian) and its bytes."""
    return sha256(before + number.to_bytes(8, "big") + written).digest()


def verify(
    links: Iterable[Link],
    checkpoint: Head | None = None,
    roots: Mapping[int, bytes] | None = None,
    tree: Tree | None = None,
) -> Verdict:
    """Recompute chain and Merkle tree and stop at the first entry that does not fit.

    `roots` are those of earlier checkpoints by their size, `checkpoint` a head that was kept. Without either a cut tail
    leaves a whole, shorter chain, and a chain rewritten to its end is whole.
    """
    heads = {} if checkpoint is None else {checkpoint.number: checkpoint.seal}
    known, growing = dict(roots or {}), tree or Growing()
    number, before, earlier = 0, GENESIS, GENESIS
    for link in links:
        fault = _fault(link, number + 1, before, heads)
        if fault and number and _only_inserted(link, earlier, before, number):
            fault = f"entry {number} was inserted: the entry after it was sealed without it"
            return _bad(number - 1, earlier, fault)
        if fault:
            return _bad(number, before, fault)
        growing.add(leaf(link.written))
        number, earlier, before = link.number, before, link.seal
        if number in known and known[number] != growing.root():
            return _bad(number - 1, earlier, _rewritten(number, known))
    missing = [size for size in (*heads, *known) if size > number]
    if missing:
        gone = f"the checkpoint names entry {max(missing)}, the ledger ends at {number}: the tail is missing"
        return _bad(number, before, gone)
    if not number:
        return Verdict(True, 0, None, None, "the ledger is empty", growing.root().hex())
    return Verdict(
        True, number, before.hex(), None, f"all {number} entries form one unbroken chain", growing.root().hex()
    )


def _bad(whole: int, last: bytes, fault: str) -> Verdict:
    return Verdict(False, whole, last.hex() if whole else None, whole + 1, fault)


def _rewritten(number: int, known: Mapping[int, bytes]) -> str:
    fitting = max((size for size in known if size < number), default=0)
    return (
        f"entries {fitting + 1} to {number} fit one another but not the checkpoint of {number} entries: "
        "the ledger was rewritten"
    )


def _only_inserted(link: Link, earlier: bytes, before: bytes, number: int) -> bool:
    """Whether this entry continues what stood before the last one: that one was put between them."""
    return link.seal != before and link.seal == seal(earlier, number, link.written)


def _fault(link: Link, expected: int, before: bytes, heads: Mapping[int, str]) -> str:
    if link.number != expected:
        return f"entry {expected} is missing or out of order: entry {link.number} stands in its place"
    if link.seal != seal(before, expected, link.written):
        return f"entry {expected} was changed, or what stood before it was changed or removed"
    if expected in heads and heads[expected] != link.seal.hex():
        return f"entry {expected} fits its neighbours but not the checkpoint: the ledger was rewritten"
    return ""


def _short(value: str | int | float | bool | None) -> str | int | float | bool | None:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… (cut, {len(value)} characters)"
    return value
