"""How a file of cells is laid out: a header that says whose it is, then named runs of 64-bit floats."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Key = tuple[str, ...]  # a metric's name and the values of its labels

MAGIC: Final = b"XPLCELL1"
HEADER: Final = struct.Struct("<8sQQQd")  # magic, bytes used, process, its start in clock ticks, its start in Unix time
USED: Final = struct.Struct("<Q")
USED_AT: Final = 8
OWNER: Final = struct.Struct("<QQd")
OWNER_AT: Final = 16
FIRST: Final = 64  # where the entries begin
ENTRY: Final = struct.Struct("<II")  # bytes of the key, number of floats
WIDEST: Final = 64  # floats of one entry


class LayoutError(ValueError):
    """The bytes are not a file of cells."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that writes the file: number, start in clock ticks since boot (0: not known), start in Unix time."""

    pid: int
    ticks: int
    born: float


def entry(key: Key, width: int) -> tuple[bytes, int]:
    """Return a new entry with all floats 0, and where in it these begin."""
    name = json.dumps(key, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    name += b" " * (-len(name) % 8)
    return ENTRY.pack(len(name), width) + name + bytes(8 * width), ENTRY.size + len(name)


def header(owner: Owner) -> bytes:
    """Return the first bytes of a file without entries."""
    return HEADER.pack(MAGIC, FIRST, owner.pid, owner.ticks, owner.born)


def read_owner(data: bytes) -> Owner:
    """Raises LayoutError when `data` does not begin as a file of cells does."""
    if len(data) < FIRST or data[:8] != MAGIC:
        raise LayoutError("not a file of cells")
    return Owner(*OWNER.unpack_from(data, OWNER_AT))


def read_entries(data: bytes) -> Iterator[tuple[Key, int, int]]:
    """Yield key, position of the floats and their number; raises LayoutError at the first that cannot be read."""
    (used,) = USED.unpack_from(data, USED_AT)
    if not FIRST <= used <= len(data):
        raise LayoutError("its length is not what it says")
    at = FIRST
    while at < used:
        if at + ENTRY.size > used:
            raise LayoutError("an entry is cut off")
        length, width = ENTRY.unpack_from(data, at)
        start = at + ENTRY.size + length
        if length % 8 or not 1 <= width <= WIDEST or start + 8 * width > used:
            raise LayoutError("an entry is longer than the file")
        yield _key(data[at + ENTRY.size : start]), start, width
        at = start + 8 * width


def floats(data: bytes, at: int, width: int) -> tuple[float, ...]:
    return struct.unpack_from(f"<{width}d", data, at)


def _key(name: bytes) -> Key:
    try:
        parts = json.loads(name)
    except ValueError as error:
        raise LayoutError("an entry has no readable name") from error
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) for part in parts):
        raise LayoutError("an entry's name is not a list of words")
    return tuple(parts)
