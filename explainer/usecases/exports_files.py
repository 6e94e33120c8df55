"""An export with the files that it left, each with its size and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import orjson

from explainer.errors import StorageFailed
from explainer.exports.folder import BLOCK, MANIFEST, SIGNATURE
from explainer.exports.jobs import OPEN, Job
from explainer.usecases.exports import files_of_export, show_export
from explainer.usecases.exports_room import exports_of
from explainer.usecases.rooms import Caller, Rooms


@dataclass(frozen=True, slots=True)
class ExportFile:
    """`bytes` is its size; `sha256` what the signed manifest says (of manifest and signature: what they are)."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportState:
    """An export, its files once it is done, and about how many rows it has where they were sent as text."""

    job: Job
    files: list[ExportFile]
    rows: int | None


def show_files(rooms: Rooms, caller: Caller, job_id: str) -> ExportState:
    """Raises NotFound as `show_export`, StorageFailed when files cannot be read."""
    job = show_export(rooms, caller, job_id)
    exports = exports_of(rooms)
    try:
        rows = _sent(exports.uploads(job.id)) if job.state in OPEN else None
        return ExportState(job, _described(job, exports.folder(job.id).path), rows)
    except (OSError, ValueError, KeyError) as error:
        raise StorageFailed(f"The files of this export cannot be read: {error}. Have them looked at.") from error


def _described(job: Job, folder: Path) -> list[ExportFile]:
    names = files_of_export(job)
    if not names:
        return []
    told = {str(f["name"]): str(f["sha256"]) for f in orjson.loads((folder / MANIFEST).read_bytes())["files"]}
    for name in (MANIFEST, SIGNATURE):
        told[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return [ExportFile(name, (folder / name).stat().st_size, told[name]) for name in names]


def _sent(folder: Path) -> int | None:
    """Lines that were sent, without a header: rows are counted as they are read, and small files are read at once."""
    for ending, heads in (("csv", 1), ("jsonl", 0)):
        path = folder / f"rows.{ending}"
        if path.is_file():
            with path.open("rb") as file:
                lines = sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))
            return max(0, lines - heads)
    return None
