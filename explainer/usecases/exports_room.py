"""The exports of an installation: their store, their folders, and the key that signs them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from explainer.exports.folder import Folder
from explainer.exports.signing import Signer, signer
from explainer.exports.store import ExportStore
from explainer.usecases.rooms import Rooms

UPLOADS = "input"


@dataclass(frozen=True, slots=True)
class Exports:
    """What is kept of exports under `path`: `exports.db`, `exports/<id>/`, `export-signing.key`."""

    path: Path
    store: ExportStore

    def folder(self, job_id: str) -> Folder:
        return Folder(self.path / "exports" / job_id)

    def uploads(self, job_id: str) -> Path:
        """Where the rows of an export lie that were sent with the request."""
        return self.folder(job_id).path / UPLOADS

    def signer(self) -> Signer:
        return signer(self.path)


def exports_of(rooms: Rooms) -> Exports:
    """The exports of these rooms; opened once in each process, at first use. Raises StorageFailed."""
    return _opened(rooms.settings.var.absolute())


@functools.cache
def _opened(path: Path) -> Exports:
    return Exports(path, ExportStore(path / "exports.db"))
