"""Cuts the files of an input into chunks of whole records, in order, without ever holding a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from explainer.errors import InvalidRows, Problem, StorageFailed
from explainer.exports.chunks import Chunk
from explainer.exports.spec import Source
from explainer.exports.streams import BLOCK, Readable, kind_of, opened, unreadable

LONGEST = 16_000_000  # bytes of one record
MOST_CHUNK_BYTES = 64_000_000


@dataclass(slots=True)
class Cut:
    """What is known of the input so far: digests of the files that were read to their end, and how much is read.

    `total` is in bytes of the files, for Parquet in rows; None while it is not known.
    """

    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    read: int = 0
    total: int | None = None


def total_of(source: Source) -> int:
    """How large the input is, in the unit of `Chunk.read`; raises what the first look at a file raises."""
    return sum(_size(Path(file)) for file in source.files)


def cut(source: Source, rows: int, known: Cut | None = None) -> Iterator[Chunk]:
    """Yield every chunk of at most `rows` records; `known` is filled while they are.

    Raises NotFound, InvalidRows when a file as a whole cannot be read: its ending, encoding, header, quotes, packing.
    """
    known = Cut() if known is None else known
    number = 0
    for file in source.files:
        path = Path(file)
        cutter = _parquet if kind_of(path) == "parquet" else _text
        for chunk in cutter(path, source, rows, known):
            yield replace(chunk, number=number)
            number += 1


def _size(path: Path) -> int:
    if kind_of(path) != "parquet":
        return path.stat().st_size
    from explainer.exports.arrow import parquet_rows

    return parquet_rows(path)


def _text(path: Path, source: Source, rows: int, known: Cut) -> Iterator[Chunk]:
    before = known.read
    watched, stream = opened(path, source.encoding)
    try:
        if kind_of(path) == "csv":
            delimiter = "\t" if path.name.lower().split(".")[-1] == "tsv" or ".tsv." in path.name else source.delimiter
            pieces = Records(path, stream, delimiter).chunks(rows)
        else:
            pieces = Lines(path, stream).chunks(rows)
        for chunk in pieces:
            known.read = before + watched.count
            yield replace(chunk, read=known.read)
        while watched.read(BLOCK):
            pass
        known.read = before + watched.count
        known.digests[path.name], known.sizes[path.name] = watched.digest.hexdigest(), watched.count
    except OSError as error:
        raise StorageFailed(f"{path} could not be read: {error.strerror}.") from error
    finally:
        watched.close()


class Lines:
    """JSON lines: a record ends where a line ends."""

    def __init__(self, path: Path, stream: Readable) -> None:
        self.path, self._stream = path, stream
        self._rest, self._ended, self.line = b"", False, 1

    def ends(self, data: bytes, final: bool) -> list[int]:
        """Where each whole record of `data` ends."""
        found = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10) + 1
        ends: list[int] = found.tolist()
        return [*ends, len(data)] if final and len(data) > (ends[-1] if ends else 0) else ends

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield the chunks; a chunk of blank lines alone is one as well, so that numbers never shift."""
        while True:
            ends = self._fill(rows)
            if not ends:
                return
            size = ends[min(rows, len(ends)) - 1]
            data, self._rest = self._rest[:size], self._rest[size:]
            yield self._chunk(data, min(rows, len(ends)))
            self.line += data.count(b"\n")

    def _chunk(self, data: bytes, records: int) -> Chunk:
        return Chunk(0, self.path.name, "jsonl", self.line, records, data)

    def _fill(self, rows: int) -> list[int]:
        """Read on until `rows` whole records are there; where each of them ends."""
        while True:
            ends = self.ends(self._rest, self._ended)
            if len(ends) >= rows or self._ended or (ends and len(self._rest) > MOST_CHUNK_BYTES):
                return ends
            if len(self._rest) - (ends[-1] if ends else 0) > LONGEST:
                raise self._too_long()
            data = self._stream.read(BLOCK)
            self._rest, self._ended = self._rest + data, not data

    def _too_long(self) -> InvalidRows:
        return unreadable(self.path, "too-long", f"a line from line {self.line} on has more than {LONGEST} bytes.")


class Records(Lines):
    """CSV: a record ends with a line that ends outside quotes."""

    def __init__(self, path: Path, stream: Readable, delimiter: str) -> None:
        super().__init__(path, stream)
        self.delimiter = delimiter
        sign = re.escape(delimiter.encode())
        # A quote opens a field only where a field begins; elsewhere it is a character like any other.
        self._record = re.compile(
            rb'(?:[^"\n]++|(?:(?<=[' + sign + rb'\n])|\A)"(?:[^"]++|"")*+"|(?<![' + sign + rb'\n])(?<!\A)")*+(\n)'
        )
        self.header: tuple[str, ...] = ()

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """See Lines; the first record is the header."""
        self._read_header()
        yield from super().chunks(rows)

    def ends(self, data: bytes, final: bool) -> list[int]:
        """See Lines; raises InvalidRows when the text ends inside quotes."""
        if b'"' not in data:
            return super().ends(data, final)
        ends, place = [], 0
        while (found := self._record.match(data, place)) is not None:
            place = found.end()
            ends.append(place)
        if final and place < len(data):
            if self._record.match(data[place:] + b"\n") is None:
                detail = f"a quote that opens after line {self.line} is never closed."
                raise unreadable(self.path, "csv", detail)
            ends.append(len(data))
        return ends

    def _chunk(self, data: bytes, records: int) -> Chunk:
        return Chunk(0, self.path.name, "csv", self.line, records, data, self.header, self.delimiter)

    def _read_header(self) -> None:
        ends = self._fill(1)
        data = self._rest[: ends[0]] if ends else b""
        if b"\r" in data and b"\n" not in data and data.count(b"\r") > 1:
            raise unreadable(self.path, "line-ends", "lines end with CR alone; save the file with LF or CR LF.")
        self._rest = self._rest[len(data) :]
        try:
            record = next(csv.reader([data.decode()], delimiter=self.delimiter, strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise unreadable(self.path, "header", f"the names of the columns cannot be read: {error}.") from None
        if not record:
            raise unreadable(self.path, "empty", "the first line must hold the names of the columns; it is empty.")
        self.header = tuple(record)
        self.line += data.count(b"\n")

    def _too_long(self) -> InvalidRows:
        return unreadable(
            self.path, "too-long", f"a record from line {self.line} on has over {LONGEST} bytes; is a quote not closed?"
        )


def _parquet(path: Path, source: Source, rows: int, known: Cut) -> Iterator[Chunk]:
    from explainer.exports.arrow import parquet_chunks

    yield from parquet_chunks(path, rows, known)


def header_refused(path: str, problems: list[Problem]) -> InvalidRows:
    return InvalidRows(f"{path}: {problems[0].detail}", problems=problems)
