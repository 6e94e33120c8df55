"""A column of the output: what it is called, what it holds, and its cells as Python values or as an Arrow array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explainer.exports.arrow import library

Kind = Literal["text", "number", "integer", "flag", "label"]


@dataclass(frozen=True, slots=True)
class Column:
    """`data` is a list of texts, or an array; NaN in a number and -1 in a label mean that there is none.

    An `integer` or `flag` may come as an array of floats with NaN. A `label` is a place in `labels`.
    """

    name: str
    kind: Kind
    data: Any
    labels: tuple[str | None, ...] = ()

    def cells(self) -> list[Any]:
        """Python values, None where there is none."""
        if self.kind == "text":
            return self.data if isinstance(self.data, list) else self.data.to_pylist()
        if self.kind == "label":
            known = np.array([*self.labels, None], dtype=object)  # the place -1 is the last one
            cells: list[Any] = known[self.data].tolist()
            return cells
        values, missing = self._numbers()
        if missing is None:
            found: list[Any] = values.tolist()
            return found
        return [None if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]

    def arrow(self) -> Any:
        """An Arrow array: string, float64, int64, bool, or a dictionary of strings."""
        pa = library()
        if self.kind == "text":
            return pa.array(self.data, pa.string()) if isinstance(self.data, list) else self.data
        if self.kind == "label":
            codes = pa.array(self.data.astype(np.int32), mask=self.data < 0)
            return pa.DictionaryArray.from_arrays(codes, pa.array(self.labels, pa.string()))
        types = {"number": pa.float64(), "integer": pa.int64(), "flag": pa.bool_()}
        values, missing = self._numbers()
        return pa.array(values, types[self.kind], mask=missing)

    def _numbers(self) -> tuple[Any, Any]:
        """The values in their own type, and where there is none (None: everywhere is one)."""
        missing = np.isnan(self.data) if self.data.dtype == np.float64 else None
        if missing is not None and not missing.any():
            missing = None
        if self.kind == "number":
            return self.data, missing
        kind = np.int64 if self.kind == "integer" else np.bool_
        return (self.data if missing is None else np.where(missing, 0, self.data)).astype(kind), missing


def taken(column: Column, rows: Sequence[int] | Any) -> Column:
    """The cells of these rows, in this order, a row as often as it is named."""
    if isinstance(column.data, list):
        return Column(column.name, column.kind, [column.data[i] for i in rows], column.labels)
    if isinstance(column.data, np.ndarray):
        return Column(column.name, column.kind, column.data[rows], column.labels)
    return Column(column.name, column.kind, column.data.take(library().array(rows, library().int64())), column.labels)
