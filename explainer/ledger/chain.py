"""The hash chain as pure functions: how an entry is written down, how it is sealed, and how a break is found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from explainer.errors import StorageFailed
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

    `first_bad` numbers the first entry that does not fit; `detail` says in a sentence what was found.
    """

    ok: bool
    entries: int
    head: str | None
    first_bad: int | None = None
    detail: str = ""


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


def verify(links: Iterable[Link], checkpoint: Head | None = None) -> Verdict:
    """Recompute the chain and stop at the first entry that does not fit.

    A cut tail leaves a whole, shorter chain: only a `checkpoint` taken earlier from `head()` shows it. An inserted
    entry whose seal was computed to fit is itself in order; then the first that no longer fits is the one after it.
    """
    number, before = 0, GENESIS
    for link in links:
        fault = _fault(link, number + 1, before, checkpoint)
        if fault:
            return _verdict(number, before, fault)
        number, before = link.number, link.seal
    if checkpoint is not None and checkpoint.number > number:
        gone = f"the checkpoint names entry {checkpoint.number}, the ledger ends at {number}: the tail is missing"
        return _verdict(number, before, gone)
    return _verdict(number, before, "")


def _verdict(number: int, last: bytes, fault: str) -> Verdict:
    if fault:
        return Verdict(False, number, last.hex() if number else None, number + 1, fault)
    if not number:
        return Verdict(True, 0, None, None, "the ledger is empty")
    return Verdict(True, number, last.hex(), None, f"all {number} entries form one unbroken chain")


def _fault(link: Link, expected: int, before: bytes, checkpoint: Head | None) -> str:
    if link.number != expected:
        return f"entry {expected} is missing or out of order: entry {link.number} stands in its place"
    if link.seal != seal(before, expected, link.written):
        return f"entry {expected} was changed, or what stood before it was changed or removed"
    if checkpoint is not None and checkpoint.number == expected and checkpoint.seal != link.seal.hex():
        return f"entry {expected} fits its neighbours but not the checkpoint: the ledger was rewritten"
    return ""


def _short(value: str | int | float | bool | None) -> str | int | float | bool | None:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… (cut, {len(value)} characters)"
    return value
