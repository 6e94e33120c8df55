"""Reads a chunk of an export into coded rows, what is carried along, and the rows that do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from explainer.errors import InvalidRows, Problem
from explainer.exports.chunks import Chunk, Reject
from explainer.exports.columns import Column
from explainer.exports.spec import Spec
from explainer.records import Feature, FloatArray
from explainer.registry.cells import fit_cells, fit_row, header_problems, read_cell
from explainer.registry.rows import RowCoder
from explainer.usecases.exports_csv import records_of

MOST_KEPT = 100_000  # texts of a column whose code is remembered
ALL = "*"  # among the ignored names: every column that is no feature


@dataclass(frozen=True, slots=True)
class Rows:
    """Coded rows (n, features) with the line of each; `carried` has one cell for each."""

    coded: FloatArray
    lines: list[int]
    carried: tuple[Column, ...]
    rejects: tuple[Reject, ...]


class Cells(dict[str, float | None]):
    """The code of every text that was met in a column so far; None for one that does not fit."""

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        self._feature, self._coder = feature, RowCoder((feature,))

    def __missing__(self, text: str) -> float | None:
        if len(self) >= MOST_KEPT:
            self.clear()
        try:
            code = float(self._coder.code([[read_cell(self._feature, text)]])[0, 0])
        except (ValueError, InvalidRows):
            self[text] = None
            return None
        self[text] = code
        return code


@dataclass(slots=True)
class Reader:
    """Reads the chunks of one export; keeps what it learned of a column's texts."""

    features: tuple[Feature, ...]
    spec: Spec
    _cells: list[Cells] = field(default_factory=list)
    _coder: RowCoder = field(init=False)

    def __post_init__(self) -> None:
        self._cells = [Cells(feature) for feature in self.features]
        self._coder = RowCoder(self.features)

    def read(self, chunk: Chunk) -> Rows:
        """Raises InvalidRows when the header does not fit: then no row of the file does."""
        if chunk.kind == "jsonl":
            return self._jsonl(chunk)
        self.check_header(chunk.file, chunk.header)
        return self._csv(chunk) if chunk.kind == "csv" else self._arrow(chunk)

    def check_header(self, file: str, header: Sequence[str]) -> None:
        """Raises InvalidRows naming columns that are unknown, missing, or there twice."""
        carry, ignored = self.spec.carry, self.spec.ignore
        others = list(header) if ALL in ignored else [*ignored, *carry]
        problems = header_problems(self.features, header, others)
        absent = [name for name in carry if name not in header]
        problems += [
            Problem(f"header.{name}", "missing-column", f"The column {name!r} that is to be carried along is missing.")
            for name in absent
        ]
        if problems:
            signs = [s for s in ";\t|" if len(header) == 1 and s in header[0]]
            hint = f" The columns seem to be separated by {signs[0]!r}: say so (delimiter)." if signs else ""
            raise InvalidRows(f"{file}: {problems[0].detail}{hint}", problems=problems)

    def _csv(self, chunk: Chunk) -> Rows:
        records, lines, rejects = records_of(chunk)
        places = {name: i for i, name in enumerate(chunk.header)}
        columns = list(zip(*records, strict=True)) if records else [()] * len(chunk.header)
        codes = [
            [cells[text] for text in columns[places[feature.name]]]
            for feature, cells in zip(self.features, self._cells, strict=True)
        ]
        coded = np.array(codes, dtype=np.float64).T  # None becomes NaN
        bad = sorted({i for column in codes if None in column for i, code in enumerate(column) if code is None})
        for i in bad:
            texts = {feature.name: records[i][places[feature.name]] for feature in self.features}
            _, problems = fit_cells(self.features, texts, f"line {lines[i]}")
            rejects += rejects_of(chunk.file, lines[i], problems)
        kept = _without(len(records), bad)
        carried = tuple(Column(name, "text", [columns[places[name]][i] for i in kept]) for name in self.spec.carry)
        return self._rows(coded[kept], [lines[i] for i in kept], carried, rejects)

    def _jsonl(self, chunk: Chunk) -> Rows:
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        carried: list[list[str | None]] = [[] for _ in self.spec.carry]
        rejects: list[Reject] = []
        for line, text in enumerate(chunk.data.split(b"\n"), chunk.first):
            if not text.strip():
                continue
            row, problems = self._object(text, line)
            if problems:
                rejects += rejects_of(chunk.file, line, problems)
                continue
            for cells, name in zip(carried, self.spec.carry, strict=True):
                cells.append(_plain_text(row.pop(name, None)))
            rows.append(row)
            lines.append(line)
        coded, bad = self._coded(rows, lines, chunk.file, rejects, "line")
        kept = _without(len(rows), bad)
        columns = tuple(
            Column(name, "text", [cells[i] for i in kept]) for name, cells in zip(self.spec.carry, carried, strict=True)
        )
        return self._rows(coded, [lines[i] for i in kept], columns, rejects)

    def _object(self, text: bytes, line: int) -> tuple[dict[str, Any], list[Problem]]:
        """A row of JSON by name, with what is carried along; or what is wrong with it as a whole."""
        where = f"line {line}"
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return {}, [Problem(where, "json", f"The line is not JSON: {error}.")]
        if isinstance(row, list) and len(row) == len(self.features):
            return dict(zip((f.name for f in self.features), row, strict=True)), []
        if not isinstance(row, dict):
            return {}, fit_row(self.features, row, where)
        if text.count(b'":') > len(row) and (twice := _twice(text)):
            return {}, [Problem(f"{where}.{twice[:60]}", "duplicate", f"The name {twice[:60]!r} is there twice.")]
        known = {feature.name for feature in self.features} | set(self.spec.carry)
        everything = ALL in self.spec.ignore
        return {n: v for n, v in row.items() if n in known or not (everything or n in self.spec.ignore)}, []

    def _arrow(self, chunk: Chunk) -> Rows:
        from explainer.usecases.exports_arrow import coded_table

        table, coded, doubtful = coded_table(chunk.data, self.features)
        lines = list(range(chunk.first, chunk.first + table.num_rows))
        rejects: list[Reject] = []
        if len(doubtful):
            rows = table.select([f.name for f in self.features]).take(np.array(doubtful, dtype=np.int64)).to_pylist()
            told = [{n: None if v != v else v for n, v in row.items()} for row in rows]  # noqa: PLR0124  NaN
            again, bad = self._coded(told, [lines[i] for i in doubtful], chunk.file, rejects, "row")
            good = _without(len(told), bad)
            coded[[doubtful[i] for i in good]] = again
            bad = [doubtful[i] for i in bad]
        else:
            bad = []
        kept = _without(table.num_rows, bad)
        columns = tuple(
            Column(name, "text", table.column(name).take(np.array(kept, dtype=np.int64)).combine_chunks())
            for name in self.spec.carry
        )
        if self.spec.output != "parquet":
            columns = tuple(Column(c.name, "text", [_plain_text(v) for v in c.data.to_pylist()]) for c in columns)
        return self._rows(coded[kept], [lines[i] for i in kept], columns, rejects)

    def _coded(
        self, rows: list[Any], lines: Sequence[int], file: str, rejects: list[Reject], word: str
    ) -> tuple[FloatArray, list[int]]:
        """Coded rows without the bad ones, and the places of the bad ones, whose rejects are added."""
        try:
            return (self._coder.code(rows) if rows else np.zeros((0, len(self.features)))), []
        except InvalidRows:
            bad = []
            for i, row in enumerate(rows):
                problems = fit_row(self.features, row, f"{word} {lines[i]}")
                if problems:
                    bad.append(i)
                    rejects += rejects_of(file, lines[i], problems)
            good = [rows[i] for i in _without(len(rows), bad)]
            return (self._coder.code(good) if good else np.zeros((0, len(self.features)))), bad

    def _rows(self, coded: FloatArray, lines: list[int], carried: tuple[Column, ...], rejects: list[Reject]) -> Rows:
        ordered = tuple(sorted(rejects, key=lambda r: r.line))
        return Rows(coded.reshape(len(lines), len(self.features)), lines, carried, ordered)


def rejects_of(file: str, line: int, problems: Sequence[Problem]) -> list[Reject]:
    """One line for each thing that is wrong; the field stands after the first point of a problem's place."""
    return [Reject(file, line, p.where.partition(".")[2], p.rule, p.detail) for p in problems]


def values_of(features: Sequence[Feature], coded: FloatArray) -> tuple[Column, ...]:
    """Coded rows as columns of the output."""
    return tuple(_value(feature, coded[:, i]) for i, feature in enumerate(features))


def _value(feature: Feature, column: FloatArray) -> Column:
    if feature.type == "category":
        return Column(
            feature.name, "label", np.where(np.isnan(column), -1, column).astype(np.int64), feature.categories
        )
    kinds: Mapping[str, Any] = {"boolean": "flag", "integer": "integer", "number": "number"}
    return Column(feature.name, kinds[feature.type], column)


def _without(count: int, left_out: Sequence[int]) -> list[int]:
    if not left_out:
        return list(range(count))
    gone = set(left_out)
    return [i for i in range(count) if i not in gone]


def _plain_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=str).decode()


def _twice(text: bytes) -> str | None:
    """The name that a JSON object has twice, if there is one."""
    import json

    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        found.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=look)
    return found[0] if found else None
