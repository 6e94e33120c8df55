"""Coded rows as what models take: pandas frames of raw values, or plain lists of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from explainer.records import Feature, FloatArray

if TYPE_CHECKING:
    from pandas import DataFrame

RawValue = str | float | int | bool | None


def labels_of(feature: Feature) -> tuple[object, ...]:
    """The raw values that a category's or boolean's codes stand for; empty for numbers."""
    return {"category": tuple(feature.categories), "boolean": (False, True)}.get(feature.type, ())


def raw_values(features: Sequence[Feature], rows: FloatArray) -> list[list[RawValue]]:
    """Rows as lists in schema order: labels, booleans, integers and numbers, None where a value is missing."""
    columns = [_raw_column(f, rows[:, i]) for i, f in enumerate(features)]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in rows]


def _raw_column(feature: Feature, column: FloatArray) -> list[RawValue]:
    if feature.type == "category":
        labels: tuple[RawValue, ...] = (*feature.categories, None)
        return [labels[i] for i in code_numbers(column, len(feature.categories)).tolist()]
    kind: Callable[[float], RawValue] = {"boolean": bool, "integer": int}.get(feature.type, float)
    return [None if isnan(v) else kind(v) for v in column.tolist()]


def frame_maker(
    features: Sequence[Feature], names: Sequence[str], missing: object = np.nan
) -> Callable[[FloatArray], DataFrame]:
    """A function from coded rows to a frame with the columns `names`, in that order.

    Categories become their labels (object columns) with `missing` where a value is missing; numbers float64;
    integers int64, and booleans bool, unless the schema lets them be missing: the type of a column depends on the
    schema, never on which other rows are asked.
    """
    import pandas as pd

    position = {f.name: i for i, f in enumerate(features)}
    makers = [(n, position[n], _column_maker(features[position[n]], missing)) for n in names]

    def make(rows: FloatArray) -> DataFrame:
        return pd.DataFrame({n: maker(rows[:, i]) for n, i, maker in makers}, columns=list(names), copy=False)

    return make


def _column_maker(feature: Feature, missing: object) -> Callable[[FloatArray], Any]:
    if feature.type == "category":
        return _objects(labels_of(feature), missing)
    if feature.type == "boolean":
        return _objects(labels_of(feature), missing) if feature.nullable else lambda column: column == 1.0
    if feature.type == "integer" and not feature.nullable:
        return lambda column: column if np.isnan(column).any() else column.astype(np.int64)
    return np.ascontiguousarray


def _objects(labels: tuple[object, ...], missing: object) -> Callable[[FloatArray], Any]:
    import pandas as pd

    table = np.empty(len(labels) + 1, dtype=object)
    table[:-1], table[-1] = labels, missing
    return lambda column: pd.Series(table[code_numbers(column, len(labels))], dtype=object)


def code_numbers(column: FloatArray, missing: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Codes as whole numbers, `missing` where the value is NaN."""
    return np.where(np.isnan(column), float(missing), column).astype(np.intp)
