"""The rows of a chunk as the bytes of the output: CSV, JSON lines, or Arrow's stream for Parquet."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from explainer.exports.arrow import library, to_stream
from explainer.exports.columns import Column, taken
from explainer.exports.layout import (
    Answered,
    as_text,
    leading_columns,
    long_columns,
    places_of,
    shown_of,
    wide_columns,
)
from explainer.exports.spec import Spec


def rendered(answered: Answered, spec: Spec) -> bytes:
    """The rows of a chunk in the form of the export; for Parquet, in Arrow's stream format."""
    if spec.output == "jsonl" and spec.form == "wide":
        return b"".join(_objects(answered, spec))
    columns = long_columns(answered, spec) if spec.form == "long" else wide_columns(answered, spec)
    if spec.output == "parquet":
        return to_stream(library().table([c.arrow() for c in columns], names=[c.name for c in columns]))
    cells = [column.cells() for column in columns]
    if spec.output == "csv":
        return _csv(columns, cells)
    names = [column.name for column in columns]
    rows = (dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True))
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def heading(spec: Spec, empty: Answered) -> bytes:
    """What stands before the first row: the names of the columns in CSV, nothing elsewhere."""
    if spec.output != "csv":
        return b""
    columns = long_columns(empty, spec) if spec.form == "long" else wide_columns(empty, spec)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([column.name for column in columns])
    return text.getvalue().encode()


def _objects(answered: Answered, spec: Spec) -> Iterator[bytes]:
    """One JSON object for each explanation, in the form that the API answers."""
    batch = answered.batch
    rows, which = places_of(batch)
    names = [column.name for column in answered.values]
    head = [
        c
        for c in leading_columns(answered, rows, which)
        if c.name not in {carried.name for carried in answered.carried}
    ]
    heads = [
        dict(zip([c.name for c in head], cells, strict=True)) for cells in zip(*[c.cells() for c in head], strict=True)
    ]
    carried = [taken(c, rows).cells() for c in answered.carried]
    values = list(zip(*[column.cells() for column in answered.values], strict=True))
    numbers = batch.values[rows, :, which].tolist()  # (rows * k, d); orjson writes NaN as null
    errors = batch.errors[rows, :, which].tolist()
    shown = shown_of(batch, spec.options.top)
    for place, (i, j) in enumerate(zip(rows.tolist(), which.tolist(), strict=True)):
        item = _nested(heads[place])
        if carried:
            item["carry"] = {c.name: cells[place] for c, cells in zip(answered.carried, carried, strict=True)}
        told: Iterator[Any] = zip(names, values[i], numbers[place], errors[place], strict=True)
        kept = told if shown is None else itertools.compress(told, shown[i, :, j].tolist())
        item["attributions"] = [
            {"feature": name, "value": value, "attribution": number, "standard_error": error}
            for name, value, number, error in kept
        ]
        if not spec.values:
            for part in item["attributions"]:
                del part["value"]
        if shown is not None:
            rest = np.flatnonzero(~shown[i, :, j])
            item["other"] = {"features": len(rest), "attribution": float(batch.values[i, rest, j].sum())}
        yield orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE)


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """`method.name` becomes `name` in an object `method`, warnings a list; what is not there is left out."""
    item: dict[str, Any] = {}
    for name, cell in flat.items():
        outer, _, inner = name.partition(".")
        if inner and outer != "lime":
            item.setdefault(outer, {})[inner] = cell
        elif outer == "lime":
            item.update({"lime": {inner: cell}} if cell is not None else {})
        elif name == "warnings":
            item["warnings"] = cell.split() if cell else []
        elif cell is not None or name in ("class", "prediction"):
            item[name] = cell
    return item


def _csv(columns: Sequence[Column], cells: Sequence[list[Any]]) -> bytes:
    flags = [i for i, column in enumerate(columns) if column.kind == "flag" or column.name.startswith("value.")]
    told = list(cells)
    for i in flags:
        told[i] = [as_text(cell) if isinstance(cell, bool) else cell for cell in cells[i]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*told, strict=True))
    return text.getvalue().encode("utf-8", "surrogatepass")
