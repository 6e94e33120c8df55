"""How an entry is written down outside this process: with a checksum, or sealed where there is a master key."""

from __future__ import annotations

import hmac
from typing import Protocol

from explainer.cache.ports import Entry
from explainer.errors import SealBroken, StorageFailed
from explainer.sealing import Envelope, MasterKeys

CHECKSUM, TIME = 16, 8


class Cover(Protocol):
    """Bytes for an entry, which only its own key uncovers; `id` tells covers apart that cannot read one another."""

    id: str

    def name(self, key: bytes) -> bytes:
        """Return the name under which the entry is kept."""
        ...

    def wrap(self, key: bytes, entry: Entry) -> bytes: ...

    def unwrap(self, key: bytes, written: bytes) -> Entry:
        """Return the entry. Raises StorageFailed for bytes that are damaged, foreign or another key's."""
        ...


class Checked:
    """In the clear, with a checksum over key, time and value: finds accidents, not forgers."""

    id = ""

    def name(self, key: bytes) -> bytes:
        return key

    def wrap(self, key: bytes, entry: Entry) -> bytes:
        body = _body(entry)
        return _checksum(key, body) + body

    def unwrap(self, key: bytes, written: bytes) -> Entry:
        checksum, body = written[:CHECKSUM], written[CHECKSUM:]
        if checksum != _checksum(key, body) or len(body) < TIME:
            raise SealBroken("It does not fit its checksum.")
        return _entry(body)


class Sealed:
    """Encrypted and bound to its key. The key is a digest of a row, which could be guessed: its name is keyed too."""

    def __init__(self, masters: MasterKeys) -> None:
        self.id = masters.ids[0]
        self._naming = masters.derive("names of cache entries")
        self._envelope = Envelope(masters, "cache")

    def name(self, key: bytes) -> bytes:
        return hmac.digest(self._naming, key, "sha256")

    def wrap(self, key: bytes, entry: Entry) -> bytes:
        return self._envelope.seal(_body(entry), ("cache entry", key))

    def unwrap(self, key: bytes, written: bytes) -> Entry:
        return _entry(self._envelope.open(written, ("cache entry", key)))


def cover_for(masters: MasterKeys | None) -> Cover:
    """Return the cover that these keys allow."""
    return Checked() if masters is None else Sealed(masters)


def uncovered(cover: Cover, key: bytes, written: object) -> Entry | StorageFailed:
    """Return the entry, or why it is none: whatever a damaged store gives is a finding, not an error."""
    try:
        if not isinstance(written, bytes):
            raise SealBroken(f"It holds {type(written).__name__} in place of bytes.")
        return cover.unwrap(key, written)
    except StorageFailed as error:
        return error


def _body(entry: Entry) -> bytes:
    return entry.written_ms.to_bytes(TIME, "big", signed=True) + entry.value


def _entry(body: bytes) -> Entry:
    return Entry(body[TIME:], int.from_bytes(body[:TIME], "big", signed=True))


def _checksum(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:CHECKSUM]  # six times as quick here as BLAKE2: processors help
