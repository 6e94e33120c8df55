"""Who did what? Ledger entries, newest first, by what they say; one entry with the proof that it is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, NotFound
from explainer.ledger.proving import Inclusion, Signed
from explainer.ledger.sqlite import Filters, Ledger, Recorded
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

PAGE = 50
AT_ONCE = 500  # entries that one read holds
MOST_LOOKED_AT = 20_000  # entries in one search; then it says so, and can go on


@dataclass(frozen=True, slots=True)
class Wanted:
    """`fields` match exactly, `model` the entry's model; times (ISO 8601, UTC) hold from `since` to `until`.

    `before` is the number of the entry below which the page begins.
    """

    fields: Filters = field(default_factory=Filters)
    model: str | None = None
    since: str | None = None
    until: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """`entries` newest first. `after` is where the next page goes on, None at the end; `stopped` that the search was
    cut short there. `size` is the ledger's, `checkpoint` the newest one that is signed and kept."""

    entries: list[Recorded]
    after: int | None
    stopped: bool
    size: int
    checkpoint: Signed | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry, the proof that it is in the tree, and the newest signed checkpoint of that tree."""

    found: Recorded
    proof: Inclusion
    checkpoint: Signed | None


def search_entries(rooms: Rooms, caller: Caller, wanted: Wanted, most: int = MOST_LOOKED_AT) -> Entries:
    """At most PAGE entries, found among `most` that fit the fields.

    Raises NotPermitted, InvalidOption for a time that cannot be read, StorageFailed.
    """
    with recorded(rooms.ledger, caller, "entry:search") as note:
        rooms.access.require(caller.principal, Permission.ENTRY_READ)
        note.update(wanted.fields.given())
        note.update({k: v for k in ("model", "since", "until") if (v := getattr(wanted, k)) is not None})
        bounds = (_time("since", wanted.since), _time("until", wanted.until))
        size = rooms.ledger.head().number
        top = size if wanted.before is None else min(size, wanted.before - 1)
        if bounds[1] is not None:
            top = min(top, _about(rooms.ledger, bounds[1], top) + AT_ONCE)
        looked = islice(_newest_first(rooms.ledger, wanted.fields, top), most + 1)
        found, last, stopped = _collected(looked, wanted, bounds, most)
        note["entries"] = len(found)
        return Entries(found, last, stopped, size, rooms.ledger.proofs.newest())


def show_entry(rooms: Rooms, caller: Caller, number: int) -> Shown:
    """Raises NotPermitted, NotFound, StorageFailed."""
    with recorded(rooms.ledger, caller, "entry:read", number=number):
        rooms.access.require(caller.principal, Permission.ENTRY_READ)
        found = rooms.ledger.read(after=number - 1, limit=1) if number > 0 else []
        if not found or found[0].number != number:
            raise NotFound(f"There is no ledger entry {number}.")
        return Shown(found[0], rooms.ledger.proofs.inclusion(number), rooms.ledger.proofs.newest())


def _collected(
    entries: Iterator[Recorded], wanted: Wanted, bounds: tuple[datetime | None, datetime | None], most: int
) -> tuple[list[Recorded], int | None, bool]:
    """A page of entries, the number below which the next one begins, and whether the search was cut short."""
    since, until = bounds
    found: list[Recorded] = []
    for looked, one in enumerate(entries):
        if looked == most:
            return found, one.number + 1, True
        at = datetime.fromisoformat(one.at)
        if since is not None and at < since:
            return found, None, False  # numbers give the order, and times follow them
        if (until is None or at <= until) and wanted.model in (None, one.entry.body.get("model")):
            if len(found) == PAGE:
                return found, found[-1].number, False
            found.append(one)
    return found, None, False


def _about(ledger: Ledger, until: datetime, top: int) -> int:
    """The number of about the last entry until then, found by halving; entries of several processes may be swapped."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        (one,) = ledger.read(after=middle - 1, limit=1)
        low, high = (middle, high) if datetime.fromisoformat(one.at) <= until else (low, middle - 1)
    return low


def _newest_first(ledger: Ledger, fields: Filters, top: int) -> Iterator[Recorded]:
    """Entries that fit, from number `top` down, in windows that grow where few fit and shrink where many do."""
    width = AT_ONCE
    while top > 0:
        bottom = max(0, top - width)
        found = [r for r in ledger.read(bottom, AT_ONCE, fields) if r.number <= top]
        if len(found) == AT_ONCE and width > AT_ONCE:
            width //= 2  # there may be more in the window than were read
            continue
        yield from reversed(found)
        top = bottom
        if len(found) < AT_ONCE // 4:
            width *= 4


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidOption(f"{name}: {text[:40]!r} is no time; write for example 2026-11-24T09:30.") from None
    return found if found.tzinfo else datetime.fromisoformat(f"{found.isoformat()}+00:00")
