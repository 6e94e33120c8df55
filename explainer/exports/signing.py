"""The installation's own Ed25519 key, and what it signs: the manifests of exports."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from explainer.errors import StorageFailed

KEY = "export-signing.key"
HEADING = "explainer-export-signature-v1"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key; `public` is the raw public key in hexadecimal, `key_id` the first 16 digits of its SHA-256."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> str:
        return _raw(self._key.public_key()).hex()

    @property
    def key_id(self) -> str:
        return id_of(self.public)

    def sign(self, data: bytes) -> str:
        """One line that `check` understands."""
        return f"{HEADING} {self.key_id} {base64.b64encode(self._key.sign(data)).decode()}\n"


def id_of(public: str) -> str:
    """The id of a public key that is given in hexadecimal; raises ValueError."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def signer(folder: Path) -> Signer:
    """The key in `folder`, made at first use (mode 600, its public half beside it). Raises StorageFailed.

    Two processes that make it at once end up with the same one: the link fails for the second.
    """
    path = folder / KEY
    try:
        if not path.exists():
            _make(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise StorageFailed(f"{path} cannot be used as the key that signs exports: {error}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageFailed(f"{path} is not an Ed25519 key; move it away, and a new one is made.")
    return Signer(key)


def check(data: bytes, signature: str, public: str) -> str | None:
    """None when `signature` is one of `data` by the key `public` (hexadecimal); else what is wrong with it."""
    try:
        heading, name, encoded = signature.split()
        raw = base64.b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except (ValueError, binascii.Error):
        return "the signature or the public key is malformed"
    if heading != HEADING or name != id_of(public):
        return f"the signature is of the key {name[:16]}, not of {id_of(public)}"
    try:
        key.verify(raw, data)
    except InvalidSignature:
        return "the signature does not fit: the manifest was changed after it was signed"
    return None


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, data, mode in ((path, private, 0o600), (path.with_suffix(".pub"), public, 0o644)):
        part = name.with_name(f".{name.name}.{os.getpid()}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, name)
        except FileExistsError:
            return
        finally:
            part.unlink()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
