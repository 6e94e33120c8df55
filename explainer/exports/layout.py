"""Which columns the output has, wide or long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.attribution.batch import Batch
from explainer.errors import InvalidOption
from explainer.exports.columns import Column, taken
from explainer.exports.spec import Spec
from explainer.records import FloatArray

BEFORE = ("file", "line")
MIDDLE = (
    *("prediction", "expected_value", "class", "output", "decision", "method.name", "method.exact"),
    *("method.evaluations", "method.stopped", "method.seed", "method.additivity_gap", "lime.local_r2", "warnings"),
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


def wide_columns(answered: Answered, spec: Spec) -> list[Column]:
    """One row for each explanation: what holds for it, then value, attribution and error by feature."""
    rows, which = places_of(answered.batch)
    shown = shown_of(answered.batch, spec.options.top)
    columns = leading_columns(answered, rows, which)
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
    rows, which = places_of(batch)
    shown = shown_of(batch, spec.options.top)
    row, out, feature = np.repeat(rows, width), np.repeat(which, width), np.tile(np.arange(width), len(rows))
    if shown is not None:
        kept = shown[row, feature, out]
        row, out, feature = row[kept], out[kept], feature[kept]
    columns = leading_columns(answered, row, out)
    columns.append(Column("feature", "label", feature, tuple(c.name for c in answered.values)))
    if spec.values:
        texts = [[as_text(cell) for cell in c.cells()] for c in answered.values]
        columns.append(Column("value", "text", [texts[f][r] for f, r in zip(feature, row, strict=True)]))
    columns.append(Column("attribution", "number", batch.values[row, feature, out]))
    columns.append(Column("standard_error", "number", batch.errors[row, feature, out]))
    columns.append(Column("rank", "integer", _ranks(batch)[row, feature, out] + 1))
    return columns


def places_of(batch: Batch) -> tuple[Any, Any]:
    """The row and the explanation of every line of the output."""
    n, k = batch.predictions.shape
    return np.repeat(np.arange(n), k), np.tile(np.arange(k), n)


def _ranks(batch: Batch) -> Any:
    order = np.argsort(-np.abs(batch.values), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[1])[None, :, None], axis=1)
    return ranks


def shown_of(batch: Batch, top: int | None) -> Any:
    """Which attributions are told (n, d, k), or None where all are."""
    return None if top is None or top >= batch.values.shape[1] else _ranks(batch) < top


def leading_columns(answered: Answered, rows: Any, which: Any) -> list[Column]:
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
        _stopped(batch, rows),
        Column("method.seed", "text", [None if seed < 0 else str(seed) for seed in batch.seeds[rows].tolist()]),
        Column("method.additivity_gap", "number", batch.gaps[rows, which]),
        Column("lime.local_r2", "number", batch.r2[rows, which]),
        Column("warnings", "text", _warnings(batch, rows, which)),
    ]


def _stopped(batch: Batch, rows: Any) -> Column:
    """Which rule ended the sampling of each row."""
    rules = tuple(dict.fromkeys(rule for rule in batch.stopped if rule is not None))
    if not rules:
        return Column("method.stopped", "label", np.full(len(rows), -1, dtype=np.int64))
    places = np.array([-1 if rule is None else rules.index(rule) for rule in batch.stopped], dtype=np.int64)
    return Column("method.stopped", "label", places[rows], rules)


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


def as_text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return str(cell).lower() if isinstance(cell, bool) else repr(cell)


def _named(column: Column, name: str) -> Column:
    return Column(name, column.kind, column.data, column.labels)


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
