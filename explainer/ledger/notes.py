"""Checkpoints as signed notes (C2SP tlog-checkpoint): origin, size, root, and an Ed25519 signature under them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from explainer.errors import InvalidOption

ED25519 = b"\x01"  # the kind of key, as signed notes number it
KEY_HASH, HASH, SIGNATURE = 4, 32, 64
SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
ORIGIN = re.compile(r"[^\s+]{1,200}")
DASH = "— "
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree at one moment: whose it is, how many entries it has (`size`), and its root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whoever has it can check notes; written as `name+hash+key`, the form that verifiers of signed notes take."""

    name: str
    raw: bytes

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """Raises InvalidOption."""
        try:
            name, hashed, encoded = text.strip().split("+", 2)  # the last part may hold a plus of its own
            decoded = _decoded(encoded)
        except ValueError:
            raise InvalidOption("key: a checkpoint key has the form name+hash+key; see `ledger.pub`.") from None
        found = cls(name, decoded[1:])
        if decoded[:1] != ED25519 or len(found.raw) != HASH or found.hash.hex() != hashed:
            raise InvalidOption("key: this is no Ed25519 checkpoint key, or it was not copied whole.")
        return found

    @property
    def hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:KEY_HASH]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self.raw).decode()}"


def read_note(note: str) -> Checkpoint:
    """The checkpoint in a note, whoever signed it. Raises InvalidOption."""
    lines = note[:LONGEST].split("\n")
    try:
        origin, size, encoded = lines[:3]
        root = _decoded(encoded)
    except ValueError:
        raise InvalidOption("checkpoint: this is no checkpoint: origin, size and root are its first lines.") from None
    if not ORIGIN.fullmatch(origin) or not SIZE.fullmatch(size) or len(root) != HASH or lines[3:4] != [""]:
        raise InvalidOption("checkpoint: its lines are not an origin, a size, 32 bytes in base64 and an empty one.")
    return Checkpoint(origin, int(size), root)


def signed_by(note: str, key: PublicKey) -> Checkpoint:
    """The checkpoint, once a signature of `key` under it is found to be right. Raises InvalidOption."""
    checkpoint = read_note(note)
    for line in note[:LONGEST].split("\n")[4:]:
        signature = _signature(line, key)
        if signature is not None:
            try:
                Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, checkpoint.text().encode())
            except InvalidSignature:
                raise InvalidOption(f"checkpoint: the signature of {key.name} does not fit: it was changed.") from None
            return checkpoint
    raise InvalidOption(f"checkpoint: it is not signed by {key.name}.")


def note_of(checkpoint: Checkpoint, key: PublicKey, signature: bytes) -> str:
    """The note, with its one signature."""
    return f"{checkpoint.text()}\n{DASH}{key.name} {base64.b64encode(key.hash + signature).decode()}\n"


def _signature(line: str, key: PublicKey) -> bytes | None:
    """What a line holds that this key signed; None for lines of other keys."""
    if not line.startswith(f"{DASH}{key.name} "):
        return None
    try:
        decoded = _decoded(line.rpartition(" ")[2])
    except ValueError:
        return None
    fits = decoded[:KEY_HASH] == key.hash and len(decoded) == KEY_HASH + SIGNATURE
    return decoded[KEY_HASH:] if fits else None


def _decoded(text: str) -> bytes:
    """Bytes have one form only; raises ValueError for another one, in which the last bits differ."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not the base64 that these bytes have")
    return decoded
