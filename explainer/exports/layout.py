"""Which columns the output has, wide or long, and their bytes as CSV, JSON lines or Arrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from explainer.attribution.batch import Batch
from explainer.errors import InvalidOption
from explainer.exports.arrow import library, to_stream
from explainer.exports.columns import Column, taken
from explainer.exports.spec import Spec
from explainer.records import FloatArray

BEFORE = ("file", "line")
MIDDLE = (
    *("prediction", "expected_value", "class", "output", "decision", "method.name", "method.exact"),
    *("method.evaluations", "method.seed", "method.additivity_gap", "lime.local_r2", "warnings"),
)
LONG = ("feature", "value", "attribution", "standard_error", "rank")
OURS = frozenset((*BEFORE, *MIDDLE, *LONG, "other.attribution", "other.standard_error"))
PARTS = ("value.", "attribution.", "standard_error.")


@dataclass(frozen=True, slots=True)
class Answered:
    """The explained rows of a chunk: where they stood, what is carried along, their values, what was found.

    `carried` and `values` are columns of one cell for each row; `decision` is a place in `decisions`.
    """

    file: str | None
    lines: list[int]
    carried: tuple[Column, ...]
    values: tuple[Column, ...]
    batch: Batch
    decision: Any
    decisions: tuple[str, ...]


def check_carried(names: Sequence[str]) -> None:
    """Raises InvalidOption for a carried column that would have the name of one of ours."""
    for name in names:
        if name in OURS or name.startswith(PARTS):
            raise InvalidOption(f"carry: the output has a column {name!r} of its own; rename it in the input.")


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


def wide_columns(answered: Answered, spec: Spec) -> list[Column]:
    """One row for each explanation: what holds for it, then value, attribution and error by feature."""
    rows, which = _places(answered.batch)
    shown = _shown(answered.batch, spec.options.top)
    columns = _leading(answered, rows, which)
    if shown is not None:
        columns += _others(answered.batch, shown, rows, which)
    if spec.values:
        columns += [_named(taken(c, rows), f"value.{c.name}") for c in answered.values]
    for part, numbers in (("attribution", answered.batch.values), ("standard_error", answered.batch.errors)):
        cells = numbers if shown is None else np.where(shown, numbers, np.nan)
        columns += [Column(f"{part}.{c.name}", "number", cells[rows, i, which]) for i, c in enumerate(answered.values)]
    return columns


def long_columns(answered: Answered, spec: Spec) -> list[Column]:
    """One row for each explanation and feature, features in schema order; `rank` 1 is the largest attribution."""
    batch, width = answered.batch, len(answered.values)
    rows, which = _places(batch)
    shown = _shown(batch, spec.options.top)
    row, out, feature = np.repeat(rows, width), np.repeat(which, width), np.tile(np.arange(width), len(rows))
    if shown is not None:
        kept = shown[row, feature, out]
        row, out, feature = row[kept], out[kept], feature[kept]
    columns = _leading(answered, row, out)
    columns.append(Column("feature", "label", feature, tuple(c.name for c in answered.values)))
    if spec.values:
        texts = [[_text(cell) for cell in c.cells()] for c in answered.values]
        columns.append(Column("value", "text", [texts[f][r] for f, r in zip(feature, row, strict=True)]))
    columns.append(Column("attribution", "number", batch.values[row, feature, out]))
    columns.append(Column("standard_error", "number", batch.errors[row, feature, out]))
    columns.append(Column("rank", "integer", _ranks(batch)[row, feature, out] + 1))
    return columns


def _places(batch: Batch) -> tuple[Any, Any]:
    """The row and the explanation of every line of the output."""
    n, k = batch.predictions.shape
    return np.repeat(np.arange(n), k), np.tile(np.arange(k), n)


def _ranks(batch: Batch) -> Any:
    order = np.argsort(-np.abs(batch.values), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[1])[None, :, None], axis=1)
    return ranks


def _shown(batch: Batch, top: int | None) -> Any:
    """Which attributions are told (n, d, k), or None where all are."""
    return None if top is None or top >= batch.values.shape[1] else _ranks(batch) < top


def _leading(answered: Answered, rows: Any, which: Any) -> list[Column]:
    batch = answered.batch
    several = answered.file is not None
    columns = [Column("file", "label", np.zeros(len(rows), np.int64), (answered.file,))] if several else []
    columns.append(Column("line", "integer", np.array(answered.lines, dtype=np.int64)[rows]))
    columns += [taken(column, rows) for column in answered.carried]
    labels = [*dict.fromkeys(label for label in batch.labels if label is not None)]
    place = np.array([-1 if label is None else labels.index(label) for label in batch.labels], dtype=np.int64)
    return [
        *columns,
        Column("prediction", "number", batch.predictions[rows, which]),
        Column("expected_value", "number", batch.expected[rows, which]),
        Column("class", "label", place[batch.outputs[rows, which]], tuple(labels)),
        Column("output", "label", np.zeros(len(rows), np.int64), (batch.space,)),
        Column("decision", "label", answered.decision[rows], answered.decisions),
        Column("method.name", "label", batch.method[rows], batch.methods),
        Column("method.exact", "flag", batch.exact[rows]),
        Column("method.evaluations", "integer", batch.evaluations[rows]),
        Column("method.seed", "text", [None if seed < 0 else str(seed) for seed in batch.seeds[rows].tolist()]),
        Column("method.additivity_gap", "number", batch.gaps[rows, which]),
        Column("lime.local_r2", "number", batch.r2[rows, which]),
        Column("warnings", "text", _warnings(batch, rows, which)),
    ]


def _others(batch: Batch, shown: Any, rows: Any, which: Any) -> list[Column]:
    rest = np.where(shown, 0.0, batch.values).sum(axis=1)
    errors = np.where(shown, 0.0, batch.errors).sum(axis=1)
    return [
        Column("other.attribution", "number", rest[rows, which]),
        Column("other.standard_error", "number", errors[rows, which]),
    ]


def _warnings(batch: Batch, rows: Any, which: Any) -> list[str | None]:
    if not batch.notices:
        return [None] * len(rows)
    told: dict[tuple[int, int], list[str]] = {}
    for row, out, code in batch.notices:
        told.setdefault((row, out), []).append(code)
    return [
        " ".join(told[key]) if (key := (int(r), int(w))) in told else None for r, w in zip(rows, which, strict=True)
    ]


def _objects(answered: Answered, spec: Spec) -> Iterator[bytes]:
    """One JSON object for each explanation, in the form that the API answers."""
    batch = answered.batch
    rows, which = _places(batch)
    names = [column.name for column in answered.values]
    head = [c for c in _leading(answered, rows, which) if c.name not in {carried.name for carried in answered.carried}]
    heads = [
        dict(zip([c.name for c in head], cells, strict=True)) for cells in zip(*[c.cells() for c in head], strict=True)
    ]
    carried = [taken(c, rows).cells() for c in answered.carried]
    values = list(zip(*[column.cells() for column in answered.values], strict=True))
    numbers, errors = batch.values.tolist(), batch.errors.tolist()  # orjson writes NaN as null
    shown = _shown(batch, spec.options.top)
    for place, (i, j) in enumerate(zip(rows.tolist(), which.tolist(), strict=True)):
        kept = range(len(names)) if shown is None else np.flatnonzero(shown[i, :, j]).tolist()
        item = _nested(heads[place])
        if carried:
            item["carry"] = {c.name: cells[place] for c, cells in zip(answered.carried, carried, strict=True)}
        item["attributions"] = [
            {
                "feature": names[f],
                **({"value": values[i][f]} if spec.values else {}),
                "attribution": numbers[i][f][j],
                "standard_error": errors[i][f][j],
            }
            for f in kept
        ]
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
        told[i] = [_text(cell) if isinstance(cell, bool) else cell for cell in cells[i]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(*told, strict=True))
    return text.getvalue().encode("utf-8", "surrogatepass")


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return str(cell).lower() if isinstance(cell, bool) else repr(cell)


def _named(column: Column, name: str) -> Column:
    return Column(name, column.kind, column.data, column.labels)


def nothing(features: Sequence[Column], carried: Sequence[Column], file: str | None, batch: Batch) -> Answered:
    """No rows at all, with the columns that rows would have."""
    return Answered(file, [], tuple(carried), tuple(features), batch, np.zeros(0, np.int64), ())


def empty_batch(width: int, space: Any) -> Batch:
    """No explanation of no row, for `width` features."""
    none, whole = np.zeros((0, 1)), np.zeros(0, np.int64)
    wide: FloatArray = np.zeros((0, width, 1))
    places = np.zeros((0, 1), np.int64)
    return Batch(
        space=space,
        labels=(),
        outputs=places,
        predictions=none,
        expected=none,
        values=wide,
        errors=wide,
        gaps=none,
        evaluations=whole,
        seeds=whole,
        exact=np.zeros(0, np.bool_),
        methods=(),
        method=whole,
        r2=none,
    )
