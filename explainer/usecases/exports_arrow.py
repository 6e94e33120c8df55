"""Codes a table of Arrow column by column; what a column's type leaves in doubt is looked at row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explainer.exports.arrow import from_stream, library
from explainer.records import Feature, FloatArray
from explainer.registry.row_problems import LARGEST, WHOLE


def coded_table(data: bytes, features: Sequence[Feature]) -> tuple[Any, FloatArray, list[int]]:
    """The table, its coded rows (rows, features), and the rows whose codes are not to be trusted."""
    table = from_stream(data)
    coded = np.empty((table.num_rows, len(features)))
    doubtful = np.zeros(table.num_rows, dtype=np.bool_)
    for i, feature in enumerate(features):
        coded[:, i], doubt = _column(feature, table.column(feature.name).combine_chunks())
        doubtful |= doubt
    return table, coded, np.flatnonzero(doubtful).tolist()


def _column(feature: Feature, cells: Any) -> tuple[FloatArray, Any]:
    types = library().types
    kind = cells.type
    if types.is_dictionary(kind) and feature.type == "category":
        return _categories(feature, cells)
    if feature.type == "category" and (types.is_string(kind) or types.is_large_string(kind)):
        return _categories(feature, cells.dictionary_encode())
    if feature.type == "boolean" and types.is_boolean(kind):
        return _checked(feature, _floats(cells, "float64"))
    numeric = types.is_integer(kind) or types.is_floating(kind)
    if feature.type in ("number", "integer") and numeric:
        return _checked(feature, _floats(cells, "float64"))
    return np.full(len(cells), np.nan), np.ones(len(cells), dtype=np.bool_)


def _floats(cells: Any, kind: str) -> FloatArray:
    pa = library()
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    return np.asarray(cells.cast(kind, safe=False).fill_null(float("nan")).to_numpy(zero_copy_only=False))


def _categories(feature: Feature, cells: Any) -> tuple[FloatArray, Any]:
    places = {name: float(i) for i, name in enumerate(feature.categories)}
    known = np.array([places.get(word, -1.0) for word in cells.dictionary.to_pylist()] + [np.nan])
    codes = cells.indices.cast("int64").fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
    return _checked(feature, known[codes], low=0.0)


def _checked(feature: Feature, values: FloatArray, low: float | None = None) -> tuple[FloatArray, Any]:
    """The values with -0.0 as 0.0, and where one is missing, out of range, or no whole number though it should be."""
    limit = WHOLE if feature.type == "integer" else LARGEST
    least = max(-limit if feature.min is None else feature.min, -limit) if low is None else low
    most = min(limit if feature.max is None else feature.max, limit)
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        doubt = (values < least) | (values > most)
        if feature.type == "integer":
            doubt |= values != np.floor(values)
        if feature.type == "number":
            doubt |= (np.abs(values) > WHOLE) & (values == np.floor(values))  # a whole number may have been rounded
    return values + 0.0, np.where(missing, not feature.nullable, doubt)
