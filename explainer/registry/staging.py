"""Puts a version into the registry's folder whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from explainer.errors import Conflict, ModelRefused, StorageFailed
from explainer.registry.candidate import Candidate

STAGING = ".staging"
LOCK = ".lock"
GENERATION = ".generation"
RETIRED = ".retired"
PIECE = 1 << 20


@contextmanager
def writing(registry: Path) -> Iterator[None]:
    """Hold the registry's one write lock; everything in the staging folder is then left over and is swept.

    Raises StorageFailed when the folder cannot be written.
    """
    try:
        registry.mkdir(parents=True, exist_ok=True)
        with (registry / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                shutil.rmtree(registry / STAGING, ignore_errors=True)
                yield
            finally:
                # Closing alone would not do: a process forked meanwhile holds the same lock.
                fcntl.flock(lock, fcntl.LOCK_UN)
    except OSError as error:
        raise StorageFailed(f"The registry {registry} could not be written: {error.strerror or error}.") from error


def place(registry: Path, candidate: Candidate, record: bytes) -> Path:
    """Copy the candidate's files and `record`, then make them visible at once; call it under `writing`.

    Raises Conflict when the version is there already, ModelRefused when a file changed since it was checked.
    """
    manifest = candidate.manifest
    target = registry / manifest.name / manifest.version
    if target.exists():
        raise exists(candidate)
    staged = registry / STAGING / secrets.token_hex(8)
    staged.mkdir(parents=True)
    try:
        _fill(staged, candidate, record)
        target.parent.mkdir(exist_ok=True)
        staged.rename(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    for folder in (target.parent, registry):
        _sync(folder)
    announce(registry)
    return target


def mark_retired(registry: Path, name: str, version: str, record: bytes) -> None:
    """Write the mark of a retired version beside it; call it under `writing`."""
    mark(registry, RETIRED, name, version, record)


def mark(registry: Path, kind: str, name: str, version: str, record: bytes) -> None:
    """Write a mark beside a version, whose own folder never changes; call it under `writing`."""
    folder = registry / name / kind
    folder.mkdir(exist_ok=True)
    _replace(registry, folder / version, record)
    announce(registry)


def announce(registry: Path) -> None:
    """Tell running services that something changed: the generation file becomes another file."""
    _replace(registry, registry / GENERATION, secrets.token_hex(8).encode())


def exists(candidate: Candidate) -> Conflict:
    title = f"{candidate.manifest.name} version {candidate.manifest.version}"
    return Conflict(f"{title} is registered already and never changes; give the new model another version.")


def _fill(staged: Path, candidate: Candidate, record: bytes) -> None:
    for file, digest in candidate.files.items():
        _copy(candidate.folder / file, staged / file, digest)
    own: Mapping[str, bytes | None] = {
        "manifest.toml": candidate.manifest_bytes,
        "manifest.sig": candidate.signature_bytes,
        "registration.json": record,
    }
    for file, data in own.items():
        if data is not None:
            _write(staged / file, data)
    _sync(staged)


def _copy(source: Path, target: Path, digest: str) -> None:
    """Copy a file while its checksum is taken again, so that what was checked is what is kept."""
    seen = hashlib.sha256()
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise _moved(source) from error
    with os.fdopen(descriptor, "rb") as reader, target.open("xb") as writer:
        while piece := reader.read(PIECE):
            seen.update(piece)
            writer.write(piece)
        _finish(writer)
    if seen.hexdigest() != digest:
        raise _moved(source)


def _moved(source: Path) -> ModelRefused:
    return ModelRefused(f"{source.name} changed while it was being registered; register again.")


def _write(target: Path, data: bytes) -> None:
    with target.open("xb") as writer:
        writer.write(data)
        _finish(writer)


def _replace(registry: Path, target: Path, data: bytes) -> None:
    """Write a whole file or nothing; what a killed process leaves lies in the staging folder and is swept."""
    folder = registry / STAGING
    folder.mkdir(exist_ok=True)
    temporary = folder / secrets.token_hex(8)
    _write(temporary, data)
    temporary.replace(target)
    _sync(target.parent)


def _finish(file: IO[bytes]) -> None:
    """Bring a file to the disk and take away the right to write it."""
    file.flush()
    os.fsync(file.fileno())
    os.fchmod(file.fileno(), 0o444)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
