"""What stands in the registry's folder, kept in memory and read again when it changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from explainer.errors import ModelRefused, Problem, StorageFailed
from explainer.records import ModelVersion, OpenReport
from explainer.registry.approval import pending, with_approval
from explainer.registry.manifest_rules import NAME, VERSION
from explainer.registry.registration import FILE, Registration, read_version
from explainer.registry.staging import GENERATION, RETIRED

LOOK_AGAIN_S = 5.0  # a registration killed after its last step but one is found after this time at the latest

Key = tuple[str, str]
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All versions at one moment. `current` is the latest of each name that is neither retired nor awaits approval."""

    versions: dict[Key, ModelVersion] = field(default_factory=dict)
    registrations: dict[Key, Registration] = field(default_factory=dict)
    faults: dict[Key, ModelRefused] = field(default_factory=dict)
    current: dict[str, ModelVersion] = field(default_factory=dict)

    def report(self, version: ModelVersion) -> OpenReport:
        return self.registrations[version.manifest.name, version.manifest.version].report


class Catalogue:
    """Reads the folder when its generation file was replaced, and every few seconds in any case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._generation = str(folder / GENERATION)
        self._lock = threading.Lock()
        self._seen: object = object()
        self._look_again = 0.0
        self._snapshot = Snapshot()
        self._known: dict[Key, tuple[Stamp, ModelVersion, Registration]] = {}

    def now(self) -> Snapshot:
        """Return what is registered now; costs one stat of one file where nothing changed."""
        if _stamp(self._generation) != self._seen or time.monotonic() > self._look_again:
            with self._lock:
                self._refresh()
        return self._snapshot

    def _refresh(self) -> None:
        stamp = _stamp(self._generation)  # before the folder is read: a later change is then seen by the next call
        if stamp == self._seen and time.monotonic() <= self._look_again:
            return
        try:
            self._snapshot = self._read()
        except OSError as error:
            raise StorageFailed(f"The registry {self._folder} could not be read: {error.strerror}.") from error
        self._seen, self._look_again = stamp, time.monotonic() + LOOK_AGAIN_S

    def _read(self) -> Snapshot:
        known: dict[Key, tuple[Stamp, ModelVersion, Registration]] = {}
        versions: dict[Key, ModelVersion] = {}
        faults: dict[Key, ModelRefused] = {}
        for folder in _version_folders(self._folder):
            key = (folder.parent.name, folder.name)
            try:
                known[key] = self._entry(key, folder)
                versions[key] = with_approval(_with_retirement(known[key][1]), known[key][2].needs_approval)
            except ModelRefused as error:
                faults[key] = error
        self._known = known
        registrations = {key: registration for key, (_, _, registration) in known.items()}
        ordered = sorted(versions, key=lambda key: (key[0], -registrations[key].sequence))
        current: dict[str, ModelVersion] = {}
        for key in ordered:
            if versions[key].retired_at is None and not pending(versions[key]):
                current.setdefault(key[0], versions[key])
        return Snapshot({key: versions[key] for key in ordered}, registrations, faults, current)

    def _entry(self, key: Key, folder: Path) -> tuple[Stamp, ModelVersion, Registration]:
        stamp = _stamp(str(folder / FILE))
        before = self._known.get(key)
        if before is not None and stamp is not None and before[0] == stamp:
            return before
        version, registration = read_version(folder)
        return stamp or (0, 0), version, registration


def _version_folders(registry: Path) -> Iterator[Path]:
    """Yield every folder that is shaped like a registered version; hidden ones are the registry's own."""
    for model in _folders(registry):
        if NAME.fullmatch(model.name):
            yield from (folder for folder in _folders(model) if VERSION.fullmatch(folder.name))


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _with_retirement(version: ModelVersion) -> ModelVersion:
    mark = version.folder.parent / RETIRED / version.folder.name
    try:
        record: Any = orjson.loads(mark.read_bytes())
        return replace(version, retired_at=str(record["retired_at"]))
    except FileNotFoundError:
        return version
    except (ValueError, TypeError, KeyError):
        detail = f"The mark {mark} cannot be read; the version counts as retired. Restore the file."
        raise ModelRefused(detail, problems=[Problem(mark.name, "changed", detail)]) from None


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116  a Path here costs as much as the call itself
    except OSError:  # whatever is in the way, reading the folder will say it
        return None
    return status.st_ino, status.st_mtime_ns
