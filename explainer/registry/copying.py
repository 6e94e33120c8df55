"""Copies a whole registry, so that the copy is a registry again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from explainer.registry.staging import LOCK, STAGING, writing


def copy_registry(registry: Path, target: Path) -> None:
    """Copy every version, its registration and the marks of retired ones into the new folder `target`.

    Nothing is registered or retired meanwhile; services read on. Raises StorageFailed.
    """
    with writing(registry):
        shutil.copytree(
            registry, target, symlinks=True, ignore=shutil.ignore_patterns(LOCK, STAGING), copy_function=_copy
        )


def _copy(source: str, target: str) -> str:
    shutil.copy2(source, target, follow_symlinks=False)
    if not Path(target).is_symlink():
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return target
