"""The files of one export: parts while it runs, whole files when it is done; each is there whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from explainer.errors import StorageFailed
from explainer.exports.chunks import Reject

PARTS = ".parts"
MANIFEST, SIGNATURE, SUMMARY, REPORT, REJECTS = (
    "manifest.json",
    "manifest.sig",
    "summary.json",
    "report.html",
    "rejects.csv",
)
REJECT_COLUMNS = ("file", "line", "field", "rule", "detail")
BLOCK = 1 << 20


class Folder:
    """Where an export is written; every method raises StorageFailed when the disk does not take or give it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        with _Translated(self.path):
            (self.path / PARTS).mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep_part(self, number: int, data: bytes, rejects: Sequence[Reject]) -> tuple[str, str]:
        """Put a finished chunk on disk; return the SHA-256 of its rows and of its rejects."""
        told = reject_lines(rejects)
        with _Translated(self.path):
            _write(self._part(number, "rows"), data)
            if told:
                _write(self._part(number, "rejects"), told)
            _sync(self.path / PARTS)
        return hashlib.sha256(data).hexdigest(), hashlib.sha256(told).hexdigest()

    def part(self, number: int) -> Path:
        return self._part(number, "rows")

    def intact(self, number: int, rows: str, rejects: str) -> bool:
        """Whether a noted part is on disk as it was written."""
        told = self._part(number, "rejects")
        nothing = hashlib.sha256(b"").hexdigest()
        return _digest(self._part(number, "rows")) == rows and (_digest(told) or nothing) == rejects

    def join(self, name: str, heading: bytes, numbers: Iterable[int]) -> tuple[str, int]:
        """Put the parts together under `name`; return its SHA-256 and size."""
        return self.stream(name, self._pieces(heading, numbers, "rows"))

    def join_rejects(self, numbers: Iterable[int]) -> tuple[str, int]:
        return self.stream(REJECTS, self._pieces(reject_lines((), heading=True), numbers, "rejects"))

    def stream(self, name: str, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write a whole file piece by piece; return its SHA-256 and size."""
        digest, size = hashlib.sha256(), 0
        part = self.path / f".{name}.part"
        with _Translated(self.path):
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
                _flush(file)
            part.replace(self.path / name)
            _sync(self.path)
        return digest.hexdigest(), size

    def adopt(self, part: Path, name: str) -> tuple[str, int]:
        """Give a file that was written beside the others its name; return its SHA-256 and size."""
        with _Translated(self.path):
            with part.open("rb+") as file:
                _flush(file)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = part.stat().st_size
            part.replace(self.path / name)
            _sync(self.path)
        return digest, size

    def clear_parts(self) -> None:
        shutil.rmtree(self.path / PARTS, ignore_errors=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _pieces(self, heading: bytes, numbers: Iterable[int], kind: str) -> Iterator[bytes]:
        yield heading
        for number in numbers:
            path = self._part(number, kind)
            if kind == "rejects" and not path.exists():
                continue
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block

    def _part(self, number: int, kind: str) -> Path:
        return self.path / PARTS / f"{number:08d}.{kind}"


def reject_lines(rejects: Sequence[Reject], *, heading: bool = False) -> bytes:
    """Rejects as lines of CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if heading:
        writer.writerow(REJECT_COLUMNS)
    writer.writerows((r.file, r.line, r.field, r.rule, r.detail) for r in rejects)
    return text.getvalue().encode("utf-8", "backslashreplace")


class _Translated:
    """Failures of the disk as StorageFailed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise StorageFailed(
                f"The export in {self._path} could not be written: {error.strerror or error}. Make room or see to the "
                "disk; the export goes on where it stopped."
            ) from error


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    with part.open("wb") as file:
        file.write(data)
        _flush(file)
    part.replace(path)


def _flush(file: io.BufferedIOBase) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
