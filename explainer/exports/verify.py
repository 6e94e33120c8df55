"""Proves a folder offline: every file is the one that the manifest names, and the manifest is signed."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import serialization

from explainer.errors import InvalidOption, NotFound
from explainer.exports.folder import MANIFEST, REJECTS, SIGNATURE
from explainer.exports.manifest import FORM
from explainer.exports.signing import check, id_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problems` is empty when all is as it was written; `key` is the id of the key that signed."""

    key: str | None
    files: int
    rows: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(folder: Path, key: Path | None = None) -> Verdict:
    """Check an export's folder; `key` is the public key of the installation, in PEM form.

    Without it only that the folder was signed as a whole by the key that it names is proven, not whose that is. Raises
    NotFound when there is no manifest, InvalidOption when `key` cannot be read.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError:
        raise NotFound(f"There is no {MANIFEST} in {folder}; give the folder of a finished export.") from None
    trusted = None if key is None else public_key(key)
    try:
        manifest = orjson.loads(data)
        public, files = str(manifest["public_key"]), list(manifest["files"])
        problems = [] if manifest["form"] == FORM else [f"{MANIFEST} is of the form {manifest['form']!r}, not {FORM}"]
        problems += _signature(folder, data, trusted or public)
        problems += [problem for file in files for problem in _file(folder, file)]
        if not problems:
            problems += _rows(folder, manifest)
        return Verdict(_id(public), len(files), int(manifest["counts"]["explained"]), tuple(problems))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        return Verdict(None, 0, 0, (f"{MANIFEST} is damaged: {type(error).__name__} {error}",))


def public_key(path: Path) -> str:
    """The raw Ed25519 public key of a PEM file, in hexadecimal; raises InvalidOption."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    except (OSError, ValueError) as error:
        raise InvalidOption(f"key: {path} is not a public key in PEM form: {error}.") from None
    return raw.hex()


def _signature(folder: Path, manifest: bytes, public: str) -> list[str]:
    try:
        signature = (folder / SIGNATURE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return [f"there is no {SIGNATURE}"]
    wrong = check(manifest, signature, public)
    return [] if wrong is None else [f"{SIGNATURE}: {wrong}"]


def _file(folder: Path, told: dict[str, Any]) -> list[str]:
    name = str(told["name"])
    path = folder / name
    if Path(name).name != name or not path.is_file() or path.is_symlink():
        return [f"{name} is not there"]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if path.stat().st_size != told["bytes"] or found != told["sha256"]:
        return [f"{name} was changed: its SHA-256 is {found}, not {told['sha256']}"]
    return []


def _rows(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """The rejects that are listed are as many rows as the counts say."""
    with (folder / REJECTS).open(newline="", encoding="utf-8") as file:
        places = {(row["file"], row["line"]) for row in csv.DictReader(file)}
    counted = int(manifest["counts"]["rejected"])
    return [] if len(places) == counted else [f"{REJECTS} lists {len(places)} rows, the manifest counts {counted}"]


def _id(public: str) -> str | None:
    try:
        return id_of(public)
    except ValueError:
        return None
