"""Reads rows from a CSV, JSONL or Parquet file one by one, with the line each of them came from."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import orjson

from explainer.errors import InvalidRows, NotFound, Problem
from explainer.records import Feature
from explainer.registry.cells import fit_cells, fit_row, header_problems

LONGEST_FIELD = 131_072  # characters of one field of a CSV file
LONGEST_LINE = 4_000_000  # bytes of one JSONL line
PARQUET_BATCH = 1000
MOST_CELLS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its line in a CSV or JSONL file, counted from 1, or its number in a Parquet file."""

    number: int
    row: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    carried: dict[str, Any] = field(default_factory=dict)  # what columns hold that are no features but named


def read_table(path: Path, features: tuple[Feature, ...], ignored: Sequence[str] = ()) -> Iterator[Line]:
    """Yield every row of the file, good or bad; the ending of its name tells what it is.

    Columns that are no features are refused unless `ignored` names them; they come as `carried`. Raises NotFound when
    there is no such file, InvalidRows when the file as a whole cannot be read: its header, encoding, quoting or kind.
    """
    readers = {".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _unreadable(path, "ending", "the name must end with .csv, .jsonl or .parquet.")
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    return reader(path, features, ignored)


def _csv(path: Path, features: tuple[Feature, ...], ignored: Sequence[str]) -> Iterator[Line]:
    _check_encoding(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        before = csv.field_size_limit(LONGEST_FIELD)  # of the whole process: exports allow longer ones
        try:
            header = _header(path, next(reader, []), features, ignored)
            start = reader.line_num + 1
            for record in reader:
                if record:
                    yield _csv_line(start, header, record, features)
                start = reader.line_num + 1
        except csv.Error as error:
            raise _unreadable(
                path, "csv", f"line {reader.line_num}: {error}; look for a quote that is not closed."
            ) from None
        except UnicodeDecodeError:
            detail = f"the text near line {reader.line_num + 1} is not UTF-8; save the file as UTF-8."
            raise _unreadable(path, "encoding", detail) from None
        finally:
            csv.field_size_limit(before)


def _header(path: Path, header: list[str], features: tuple[Feature, ...], ignored: Sequence[str]) -> list[str]:
    if not header:
        raise _unreadable(path, "empty", "the first line must hold the names of the columns; it is empty.")
    if len(header) == 1 and (sign := next((s for s in ";\t|" if s in header[0]), None)):
        raise _unreadable(path, "delimiter", f"the columns seem to be separated by {sign!r}; use commas.")
    if problems := header_problems(features, header, ignored):
        raise InvalidRows(f"{path.name}: {problems[0].detail}", problems=problems)
    return header


def _csv_line(number: int, header: list[str], record: list[str], features: tuple[Feature, ...]) -> Line:
    if len(record) != len(header):
        detail = f"The line has {len(record)} cells; the header has {len(header)}."
        return Line(number, {}, (Problem(f"line {number}", "length", detail),))
    cells = dict(zip(header, record, strict=True))
    row, problems = fit_cells(features, cells, f"line {number}")
    names = {feature.name for feature in features}
    return Line(number, row, tuple(problems), {name: cell for name, cell in cells.items() if name not in names})


def _jsonl(path: Path, features: tuple[Feature, ...], ignored: Sequence[str]) -> Iterator[Line]:
    _check_encoding(path)
    names = [feature.name for feature in features]
    with path.open("rb") as file:
        for number, text in _text_lines(path, file):
            try:
                row = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield Line(number, {}, (Problem(f"line {number}", "json", f"The line is not JSON: {error}."),))
                continue
            carried: dict[str, Any] = {}
            if isinstance(row, dict):
                carried = {name: value for name, value in row.items() if name not in names and name in ignored}
                row = {name: value for name, value in row.items() if name in names or name not in ignored}
            problems = fit_row(features, row, f"line {number}")
            if isinstance(row, list) and not problems:
                row = dict(zip(names, row, strict=True))
            yield Line(number, row if isinstance(row, dict) else {}, tuple(problems), carried)


def _text_lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while text := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(text) > LONGEST_LINE:
            raise _unreadable(path, "too-long", f"line {number} has more than {LONGEST_LINE} bytes.")
        text = text.removeprefix(b"\xef\xbb\xbf") if number == 1 else text
        if text.strip():
            yield number, text


def _parquet(path: Path, features: tuple[Feature, ...], ignored: Sequence[str]) -> Iterator[Line]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise _unreadable(path, "library", "Parquet needs pyarrow: pip install 'explainer[parquet]'.") from None
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if problems := header_problems(features, names, ignored):
                raise InvalidRows(f"{path.name}: {problems[0].detail}", problems=problems)
            number = 0
            wanted = [feature.name for feature in features]
            others = [name for name in names if name in ignored and name not in wanted]
            for batch in file.iter_batches(PARQUET_BATCH, columns=[*wanted, *others]):
                for row in batch.to_pylist():
                    number += 1
                    carried = {name: row.pop(name) for name in others}
                    yield replace(_parquet_line(number, row, features), carried=carried)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, "parquet", f"this is not a whole Parquet file: {error}") from None


def _parquet_line(number: int, row: dict[str, Any], features: tuple[Feature, ...]) -> Line:
    # Data frames write NaN where a value is missing.
    row = {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in row.items()}
    return Line(number, row, tuple(fit_row(features, row, f"row {number}")))


def _check_encoding(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise _unreadable(path, "encoding", "the file is UTF-16; save it as UTF-8.")


def _unreadable(path: Path, rule: str, detail: str) -> InvalidRows:
    return InvalidRows(f"{path.name}: {detail}", problems=[Problem(path.name, rule, detail)])
