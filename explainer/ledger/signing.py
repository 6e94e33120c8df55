"""The ledger's own Ed25519 key: made at first use, read by its owner only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from explainer.errors import StorageFailed
from explainer.ledger.notes import Checkpoint, PublicKey, note_of

NAME, PUBLIC = "ledger.key", "ledger.pub"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints; the public half says whose they are."""

    public: PublicKey
    _key: Ed25519PrivateKey

    def sign(self, size: int, root: bytes) -> str:
        """The note over this size and root."""
        checkpoint = Checkpoint(self.public.name, size, root)
        return note_of(checkpoint, self.public, self._key.sign(checkpoint.text().encode()))

    def __repr__(self) -> str:
        return f"Signer({self.public.name})"


def signer(folder: Path) -> Signer:
    """The key in `folder`, made where there is none (mode 600, its public half beside it). Raises StorageFailed.

    Processes that make it at once end up with the same one: only one of them can link its own into place.
    """
    path = folder / NAME
    try:
        if not path.exists():
            _link(path, _new_key(), 0o600)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise StorageFailed(f"{path} is not an Ed25519 key; move it away, and a new one is made.")
        public = _public(key)
        if not (folder / PUBLIC).exists():
            _link(folder / PUBLIC, f"{public}\n".encode(), 0o644)
    except (OSError, ValueError, TypeError) as error:
        raise StorageFailed(f"{path} cannot be used as the key that signs checkpoints: {error}.") from None
    return Signer(public, key)


def _public(key: Ed25519PrivateKey) -> PublicKey:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PublicKey(f"explainer-ledger/{sha256(raw).hexdigest()[:16]}", raw)


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _link(path: Path, data: bytes, mode: int) -> None:
    """Put a whole file in place; whoever was quicker is left in place."""
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return
    finally:
        part.unlink()
