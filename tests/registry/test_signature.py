"""Signatures of manifests."""

from __future__ import annotations

import base64
import shutil
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from explainer.errors import ModelRefused
from explainer.registry.signature import generate, sign, trusted_keys, verify
from tests.registry.folders import write_folder


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a private key whose public half is trusted under the name `anna`."""
    (tmp_path / "trusted").mkdir()
    generate(tmp_path / "key")
    shutil.copy(tmp_path / "key.pub", tmp_path / "trusted" / "anna.pub")
    return tmp_path / "key"


def test_signed(tmp_path: Path, keys: Path) -> None:
    """A signature by a trusted key names the key; without trust, or without a signature, nobody vouches."""
    folder = write_folder(tmp_path / "m")
    assert verify(folder, tmp_path / "trusted") is None
    name = sign(folder, keys)
    assert (folder / "manifest.sig").read_text().split()[1] == name
    assert verify(folder, tmp_path / "trusted") == "anna"
    assert verify(folder, None) is None
    (tmp_path / "trusted" / "anna.pub").unlink()
    assert verify(folder, tmp_path / "trusted") is None


def test_changed_manifest(tmp_path: Path, keys: Path) -> None:
    """One byte changed after the signing is refused, not merely unsigned."""
    folder = write_folder(tmp_path / "m")
    sign(folder, keys)
    with (folder / "manifest.toml").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ModelRefused, match="'anna' does not fit the manifest"):
        verify(folder, tmp_path / "trusted")


def test_stolen_name(tmp_path: Path, keys: Path) -> None:
    """Another key cannot pass under the id of a trusted one."""
    folder = write_folder(tmp_path / "m")
    trusted_id = sign(folder, keys)
    generate(tmp_path / "other")
    own_id = sign(folder, tmp_path / "other")
    assert verify(folder, tmp_path / "trusted") is None
    forged = (folder / "manifest.sig").read_text().replace(own_id, trusted_id)
    (folder / "manifest.sig").write_text(forged)
    with pytest.raises(ModelRefused, match="does not fit"):
        verify(folder, tmp_path / "trusted")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a b c",
        "explainer-signature-v1 0123456789abcdef !!!!",
        f"explainer-signature-v1 0123456789abcdef {base64.b64encode(b'x' * 63).decode()}",
        f"other-v1 0123456789abcdef {base64.b64encode(b'x' * 64).decode()}",
        "é" * 10,
        "a " * 100_000,
    ],
)
def test_malformed(tmp_path: Path, keys: Path, text: str) -> None:
    """Whatever is no signature of our form is refused in words."""
    folder = write_folder(tmp_path / "m")
    (folder / "manifest.sig").write_text(text, encoding="utf-8")
    with pytest.raises(ModelRefused, match=r"manifest\.sig"):
        verify(folder, tmp_path / "trusted")


def test_keys_are_kept_safe(tmp_path: Path) -> None:
    """A private key is readable by its owner only, and no key is ever overwritten."""
    generate(tmp_path / "key.pem")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert b"PUBLIC KEY" in (tmp_path / "key.pem.pub").read_bytes()
    with pytest.raises(FileExistsError):
        generate(tmp_path / "key.pem")


def test_other_keys(tmp_path: Path, keys: Path) -> None:
    """A key of another kind neither signs nor is trusted, and says so."""
    folder = write_folder(tmp_path / "m")
    sign(folder, keys)
    curve = generate_private_key(SECP256R1())
    pem = serialization.Encoding.PEM
    private = curve.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "curve").write_bytes(private)
    with pytest.raises(ModelRefused, match="is not an Ed25519 key"):
        sign(folder, tmp_path / "curve")
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(ModelRefused, match="not an unencrypted private key"):
        sign(folder, tmp_path / "junk")
    public = curve.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "trusted" / "aaa.pub").write_bytes(public)
    with pytest.raises(ModelRefused, match=r"aaa\.pub is not an Ed25519 key"):
        verify(folder, tmp_path / "trusted")
    (tmp_path / "trusted" / "aaa.pub").write_bytes(b"junk")
    with pytest.raises(ModelRefused, match="cannot be read as PEM"):
        verify(folder, tmp_path / "trusted")


def test_no_folder_of_keys(tmp_path: Path, keys: Path) -> None:
    """A folder of trusted keys that does not exist is a wrong setting, not an empty one."""
    folder = write_folder(tmp_path / "m")
    sign(folder, keys)
    with pytest.raises(ModelRefused, match="set EXPLAINER_TRUSTED_KEYS"):
        verify(folder, tmp_path / "nowhere")


def test_trusted_keys_are_listed_by_name_and_id(tmp_path: Path) -> None:
    """Every public key of the folder is listed; a folder that is not there and a broken key are refused."""
    with pytest.raises(ModelRefused, match="does not exist"):
        trusted_keys(tmp_path / "absent")
    ids = {name: generate(tmp_path / name) for name in ("berta", "anna")}
    assert trusted_keys(tmp_path) == ids
    (tmp_path / "broken.pub").write_text("rubbish")
    with pytest.raises(ModelRefused, match=r"broken\.pub"):
        trusted_keys(tmp_path)
