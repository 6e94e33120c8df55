"""Envelope encryption: data keys seal records in their place, master keys wrap the data keys."""

from __future__ import annotations

import hmac
import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from explainer.errors import KeyMissing, SealBroken, StorageFailed

Place = Sequence[str | bytes]  # where a sealed thing belongs, from the general to the particular: ("receipts", id)

KEY_BYTES = 32
FORM = b"\x01"  # first byte of everything sealed here; another layout gets another number
NONCE, TAG, SALT = 12, 16, 16
DATA_ID, MASTER_ID = 4, 8
WRAPPED = len(FORM) + MASTER_ID + SALT + NONCE + KEY_BYTES + TAG  # bytes of a wrapped data key
# NIST SP 800-38D, 8.3: with random 96-bit nonces two of 2^32 messages share one with a chance of 2^-32 at most.
MESSAGES_PER_KEY = 2**32
RENEWED_AFTER = 2**24  # messages of one Envelope: 256 processes forked with the same data key stay within the bound
REMEMBERED = 256  # unwrapped data keys that an Envelope holds


class DataKey:
    """A key for the records of one subject, decision or file; AES-256-GCM, random 96-bit nonces.

    Seals at most MESSAGES_PER_KEY messages, each of less than 2 GiB. A key that several processes use or that is
    unwrapped again and again is counted by nobody: give such a key to few records.
    """

    __slots__ = ("_cipher", "_count", "_id", "_key", "_limit")

    def __init__(self, key: bytes, *, limit: int = MESSAGES_PER_KEY) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"A data key has {KEY_BYTES} bytes, not {len(key)}.")
        self._key = key
        self._cipher = AESGCM(key)
        self._id = derived(key, "data key's id")[:DATA_ID]
        self._limit = limit
        self._count = itertools.count()

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Return `plain` sealed for its `place`; raises StorageFailed when the key has sealed its bound."""
        if next(self._count) >= self._limit:
            raise StorageFailed(f"A data key has sealed {self._limit} records, its bound; a new key is needed.")
        nonce = os.urandom(NONCE)
        head = FORM + self._id + nonce
        return head + self._cipher.encrypt(nonce, plain, head + _encoded(place))

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed. Raises KeyMissing for another data key's, SealBroken for damage or another place."""
        sealed_by = sealed[1 : 1 + DATA_ID]
        start = 1 + DATA_ID + NONCE
        if sealed[:1] != FORM or len(sealed) < start + TAG:
            raise SealBroken(f"{_named(place)} is not in a sealed form that this program knows, or was cut.")
        if sealed_by != self._id:
            raise KeyMissing(f"{_named(place)} was sealed with another data key, or its first bytes are damaged.")
        try:
            return self._cipher.decrypt(sealed[1 + DATA_ID : start], sealed[start:], sealed[:start] + _encoded(place))
        except InvalidTag:
            raise SealBroken(
                f"{_named(place)} was changed, or moved from another place, since it was sealed."
            ) from None

    def __repr__(self) -> str:
        return "DataKey(...)"

    def __reduce__(self) -> str:
        raise TypeError("A data key is not pickled: hand over its wrapped form.")


class MasterKeys:
    """One or more 32-byte keys: the first wraps, all unwrap, so a key is exchanged without a break.

    Each data key is wrapped under a key of its own, derived from the master key and 128 random bits, with a random
    96-bit nonce: the number of keys that one master key may wrap is bounded by nothing that can be reached (2^80 for
    a chance of 2^-32).
    """

    __slots__ = ("_masters",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"Master keys are one or more keys of {KEY_BYTES} bytes.")
        self._masters = {derived(key, "master key's id")[:MASTER_ID]: key for key in keys}

    @property
    def ids(self) -> tuple[str, ...]:
        """What may be shown of each key: 16 hexadecimal digits; the first one seals."""
        return tuple(key_id.hex() for key_id in self._masters)

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that only holders of the first key can tell, for one purpose (as a key of HMAC)."""
        return derived(next(iter(self._masters.values())), "purpose " + purpose)

    def new_key(self, place: Place) -> tuple[DataKey, bytes]:
        """Return a new data key, and its wrapped form to keep: who destroys that destroys what the key sealed."""
        key = os.urandom(KEY_BYTES)
        return DataKey(key), self._wrap(key, place)

    def unwrap(self, wrapped: bytes, place: Place) -> DataKey:
        """Return the data key. Raises KeyMissing when no master key given fits, SealBroken for damage."""
        if wrapped[:1] != FORM or len(wrapped) != WRAPPED:
            raise SealBroken(f"The key of {_named(place)} is not in a form that this program knows, or was cut.")
        master = self._masters.get(wrapped[1 : 1 + MASTER_ID])
        if master is None:
            raise KeyMissing(
                f"The key of {_named(place)} is wrapped by master key {wrapped[1 : 1 + MASTER_ID].hex()}, which is "
                f"none of those given ({', '.join(self.ids)}): add it behind the first."
            )
        head, nonce, sealed = _split(wrapped)
        try:
            return DataKey(_wrapper(master, head).decrypt(nonce, sealed, head + _encoded(place)))
        except InvalidTag:
            raise SealBroken(f"The key of {_named(place)} was changed, or moved from another place.") from None

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the first master key wraps it; where not, `rewrap` it before the older key is taken away."""
        return wrapped[1 : 1 + MASTER_ID] == next(iter(self._masters))

    def rewrap(self, wrapped: bytes, place: Place) -> bytes:
        """Return the same data key wrapped by the first master key; what it sealed stays as it is."""
        return self._wrap(self.unwrap(wrapped, place)._key, place)

    def _wrap(self, key: bytes, place: Place) -> bytes:
        key_id, master = next(iter(self._masters.items()))
        head, nonce = FORM + key_id + os.urandom(SALT), os.urandom(NONCE)
        return head + nonce + _wrapper(master, head).encrypt(nonce, key, head + _encoded(place))

    def __repr__(self) -> str:
        return f"MasterKeys(ids={self.ids})"

    def __reduce__(self) -> str:
        raise TypeError("Master keys are not pickled: each process reads them for itself.")


class Envelope:
    """Seals things that carry their own wrapped key: cache entries, exports. Safe for threads."""

    def __init__(self, masters: MasterKeys, purpose: str, *, renewed_after: int = RENEWED_AFTER) -> None:
        """`purpose` binds the data keys: what was sealed for another purpose does not open."""
        self._masters = masters
        self._place = ("envelope", purpose)
        self._renewed_after = renewed_after
        self._lock = threading.Lock()
        self._left = 0
        self._known: OrderedDict[bytes, DataKey] = OrderedDict()
        self._sealing: tuple[DataKey, bytes] | None = None

    def seal(self, plain: bytes, place: Place) -> bytes:
        key, wrapped = self._current()
        return wrapped + key.seal(plain, place)

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed. Raises KeyMissing and SealBroken, as DataKey and MasterKeys do."""
        wrapped = sealed[:WRAPPED]
        key = self._known.get(wrapped)
        if key is None:
            key = self._masters.unwrap(wrapped, self._place)
            with self._lock:
                self._known[wrapped] = key
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return key.open(sealed[WRAPPED:], place)

    def _current(self) -> tuple[DataKey, bytes]:
        with self._lock:
            if self._sealing is None or self._left == 0:
                self._sealing, self._left = self._masters.new_key(self._place), self._renewed_after
            self._left -= 1
            return self._sealing


def derived(key: bytes, purpose: str) -> bytes:
    """Return HKDF-Expand (RFC 5869) of a uniformly random key: 32 bytes for one purpose."""
    return hmac.digest(key, b"explainer, " + purpose.encode() + b"\x01", "sha256")


def _wrapper(master: bytes, head: bytes) -> AESGCM:
    return AESGCM(derived(master, "wrapping " + head.hex()))


def _split(wrapped: bytes) -> tuple[bytes, bytes, bytes]:
    head = 1 + MASTER_ID + SALT
    return wrapped[:head], wrapped[head : head + NONCE], wrapped[head + NONCE :]


def _encoded(place: Place) -> bytes:
    """Each part with its kind and length in front: no two places are written alike."""
    parts = (b"t" + part.encode() if isinstance(part, str) else b"b" + part for part in place)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _named(place: Place) -> str:
    """Parts in bytes are left out: they may be digests of personal data, and this goes into messages."""
    return " ".join(part for part in place if isinstance(part, str)) or "A sealed record"
