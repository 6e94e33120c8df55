"""Reads the records of a chunk of CSV; one that cannot be read is rejected, the others go on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from explainer.exports.chunks import Chunk, Reject
from explainer.exports.cutting import LONGEST


def records_of(chunk: Chunk) -> tuple[list[list[str]], list[int], list[Reject]]:
    """The records of a chunk of CSV that have as many cells as the header, their lines, and what was rejected."""
    broken = False
    try:
        text = chunk.data.decode()
    except UnicodeDecodeError:
        text, broken = chunk.data.decode(errors="surrogateescape"), True
    csv.field_size_limit(LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=chunk.delimiter, strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    start, width = chunk.first, len(chunk.header)
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            rejects.append(Reject(chunk.file, start, "", "csv", f"The line is no CSV: {error}; mind the quotes."))
            record = []
        if record is None:
            return records, lines, rejects
        if len(record) == width and not (broken and _escaped(record)):
            records.append(record)
            lines.append(start)
        elif record:
            rejects.append(_misfit(chunk, start, record))
        start = chunk.first + reader.line_num


def _misfit(chunk: Chunk, line: int, record: Sequence[str]) -> Reject:
    if len(record) != len(chunk.header):
        detail = f"The line has {len(record)} cells; the header has {len(chunk.header)}."
        return Reject(chunk.file, line, "", "length", detail)
    field_name = next(name for name, cell in zip(chunk.header, record, strict=True) if _escaped([cell]))
    return Reject(
        chunk.file, line, field_name, "encoding", "The text is not UTF-8; say its encoding, or mend the line."
    )


def _escaped(record: Sequence[str]) -> bool:
    return any("\udc80" <= sign <= "\udcff" for cell in record for sign in cell)
