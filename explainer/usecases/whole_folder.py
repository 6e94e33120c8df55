"""A folder that is there complete and on disk, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from explainer.errors import StorageFailed


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Lend a folder beside `target` (mode 700) that takes its name when the block ends well, and is removed otherwise.

    `target` is not there or is empty. Raises StorageFailed when the disk refuses.
    """
    staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        staged.mkdir(mode=0o700)
        try:
            yield staged
            for folder in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
                _sync(folder)
            staged.rename(target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        _sync(target.parent)
    except OSError as error:
        raise StorageFailed(f"{target} could not be written: {error.strerror or error}.") from error


def digests(folder: Path) -> tuple[dict[str, str], int]:
    """Return the SHA-256 of every file by its path inside the folder, and how many bytes they are."""
    found, size = {}, 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            found[path.relative_to(folder).as_posix()] = file_digest(file, "sha256").hexdigest()
        size += path.stat().st_size
    return found, size


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet; returns when it is on disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
