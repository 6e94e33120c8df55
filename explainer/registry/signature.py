"""Ed25519 signatures of a manifest: who vouches for a model, whose files the manifest's checksums pin."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from explainer.errors import ModelRefused, Problem

MANIFEST = "manifest.toml"
SIGNATURE = "manifest.sig"
HEADING = "explainer-signature-v1"
MOST_BYTES = 1000


def generate(path: Path) -> str:
    """Write a new private key to `path` (mode 600) and its public key to `<path>.pub`; return the key id.

    Raises FileExistsError rather than overwrite either.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write_new(path, private, 0o600)
    _write_new(path.with_name(f"{path.name}.pub"), public, 0o644)
    return key_id(key.public_key())


def key_id(key: Ed25519PublicKey) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the raw public key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sign(folder: Path, private_key: Path) -> str:
    """Sign the bytes of the folder's manifest into `manifest.sig`; return the key id.

    Raises ModelRefused when the key cannot be read, OSError when a file cannot.
    """
    try:
        key = serialization.load_pem_private_key(private_key.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ModelRefused(f"{private_key.name} is not an unencrypted private key in PEM form.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ModelRefused(f"{private_key.name} is not an Ed25519 key; models are signed with no other kind.")
    name = key_id(key.public_key())
    signature = base64.b64encode(key.sign((folder / MANIFEST).read_bytes())).decode()
    (folder / SIGNATURE).write_text(f"{HEADING} {name} {signature}\n", encoding="ascii")
    return name


def verify(folder: Path, trusted: Path | None) -> str | None:
    """Return the name of the trusted key that signed the folder's manifest, or None when none did.

    The name is that of the public key's file in `trusted` without its ending `.pub`. No signature, or one by a key
    that is not trusted, gives None; a malformed one, or one by a trusted key over other bytes, raises ModelRefused.
    """
    if not (folder / SIGNATURE).exists():
        return None
    signature = (folder / SIGNATURE).read_bytes()[: MOST_BYTES + 1]
    return verify_bytes((folder / MANIFEST).read_bytes(), signature, trusted)


def verify_bytes(manifest: bytes, signature: bytes, trusted: Path | None) -> str | None:
    """See verify; `signature` holds the bytes of a `manifest.sig`."""
    name, raw = _parse(signature)
    found = _trusted_key(trusted, name)
    if found is None:
        return None
    owner, key = found
    try:
        key.verify(raw, manifest)
    except InvalidSignature:
        detail = f"The signature of key {owner!r} does not fit the manifest: it was changed after it was signed."
        raise _refused(detail) from None
    return owner


def trusted_keys(folder: Path) -> dict[str, str]:
    """Return the id of every key in `folder` by the name it vouches under; raises ModelRefused for one unreadable."""
    if not folder.is_dir():
        raise _refused(f"The folder of trusted keys {folder} does not exist; set EXPLAINER_TRUSTED_KEYS.")
    return {path.stem: key_id(_public_key(path)) for path in sorted(folder.glob("*.pub"))}


def _parse(data: bytes) -> tuple[str, bytes]:
    try:
        heading, name, signature = data.decode("ascii").split()
        raw = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        raise _refused(f"{SIGNATURE} is malformed; it holds '{HEADING} <key id> <signature in base64>'.") from None
    if heading != HEADING or len(raw) != 64:
        raise _refused(f"{SIGNATURE} is not an Ed25519 signature of the form '{HEADING}'.")
    return name, raw


def _trusted_key(trusted: Path | None, name: str) -> tuple[str, Ed25519PublicKey] | None:
    """Find the key by its own digest: what a signature says of itself only chooses which key is tried."""
    if trusted is None:
        return None
    if not trusted.is_dir():
        raise _refused(f"The folder of trusted keys {trusted} does not exist; set EXPLAINER_TRUSTED_KEYS.")
    for path in sorted(trusted.glob("*.pub")):
        key = _public_key(path)
        if key_id(key) == name:
            return path.stem, key
    return None


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        raise _refused(f"The trusted key {path.name} cannot be read as PEM; mend or remove it.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise _refused(f"The trusted key {path.name} is not an Ed25519 key; remove it.")
    return key


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _refused(detail: str) -> ModelRefused:
    return ModelRefused(detail, problems=[Problem(SIGNATURE, "signature", detail)])
