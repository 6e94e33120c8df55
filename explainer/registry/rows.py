"""Codes rows of JSON values into the float64 matrix that models and methods see, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from explainer.errors import InvalidRows, Problem
from explainer.records import Feature, FloatArray
from explainer.registry.row_problems import LARGEST, WHOLE, cell_problem, has_form, place, shape_problems

MOST_PROBLEMS = 50
KEPT_CODERS = 64

Code = Callable[[Any], float | None]


def code_rows(features: tuple[Feature, ...], instances: object) -> FloatArray:
    """Code `instances`, a list of objects by feature name or of arrays in schema order, to shape (rows, features).

    Raises InvalidRows with up to MOST_PROBLEMS problems, each naming row, feature, rule and what to do.
    """
    return _coder(features).code(instances)


def uncode_rows(features: Sequence[Feature], coded: FloatArray) -> list[dict[str, Any]]:
    """Return coded rows of shape (rows, features) as objects of JSON values; a missing value is None."""
    names = [feature.name for feature in features]
    return [dict(zip(names, values, strict=True)) for values in row_values(features, coded)]


def kinds_of(features: Sequence[Feature]) -> npt.NDArray[np.int64]:
    """How many categories each feature has, two for a boolean, 0 for a number."""
    return np.array([2 if f.type == "boolean" else len(f.categories) for f in features], dtype=np.int64)


def row_values(features: Sequence[Feature], coded: FloatArray) -> list[list[Any]]:
    """Return the JSON values of coded rows of shape (rows, features), in schema order; a missing value is None."""
    uncode = _coder(tuple(features)).uncode
    return [[value(x) for value, x in zip(uncode, row, strict=True)] for row in coded.tolist()]


class RowCoder:
    """The schema made ready: one small function for each feature, which answers None for a value that does not fit."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self.features = features
        self._columns = [(feature.name, _code(feature)) for feature in features]
        self._codes = [code for _, code in self._columns]
        self.uncode = [_uncode(feature) for feature in features]

    def code(self, instances: object) -> FloatArray:
        """See code_rows."""
        if not isinstance(instances, list):
            raise _refused([_not_a_list(instances)], 0)
        if not instances:
            raise _refused([Problem("instances", "empty", "The list is empty; send at least one row.")], 0)
        named = isinstance(instances[0], dict)
        try:
            coded = [self._row(instance, named) for instance in instances]
            # Adding zero turns -0.0 into 0.0, so that equal rows have equal bytes.
            return np.array(coded, dtype=np.float64) + 0.0
        except (TypeError, KeyError, ValueError):
            problems = self._problems(instances, named)
            if not problems:
                raise
            raise _refused(problems, len(instances)) from None

    def _row(self, instance: Any, named: bool) -> list[float]:
        """Code one row; any of three plain errors means that it does not fit, and the slow path finds out why."""
        if not has_form(instance, named) or len(instance) != len(self._columns):
            raise ValueError
        if named:
            row = [code(instance[name]) for name, code in self._columns]
        else:
            row = [code(value) for code, value in zip(self._codes, instance, strict=True)]
        if None in row:
            raise ValueError
        return row  # type: ignore[return-value]

    def _problems(self, instances: list[Any], named: bool) -> list[Problem]:
        found: list[Problem] = []
        for i, instance in enumerate(instances):
            found += self._row_problems(i, instance, named)
            if len(found) >= MOST_PROBLEMS:
                return found[:MOST_PROBLEMS]
        return found

    def _row_problems(self, i: int, instance: Any, named: bool) -> list[Problem]:
        shape = shape_problems(self.features, i, instance, named)
        if not has_form(instance, named) or (shape and not named):
            return shape
        values: Iterable[tuple[Feature, Code, Any]] = (
            (feature, code, instance[feature.name] if named else instance[j])
            for j, (feature, code) in enumerate(zip(self.features, self._codes, strict=True))
            if not named or feature.name in instance
        )
        cells = [
            Problem(place(i, feature.name), *cell_problem(feature, value))
            for feature, code, value in values
            if code(value) is None
        ]
        return shape + cells


_coders: dict[int, RowCoder] = {}


def _coder(features: tuple[Feature, ...]) -> RowCoder:
    """Return the coder of this very tuple; hashing twenty features would cost more than coding a row."""
    coder = _coders.get(id(features))
    if coder is None or coder.features is not features:
        if len(_coders) >= KEPT_CODERS:
            _coders.clear()
        coder = _coders[id(features)] = RowCoder(features)
    return coder


def _code(feature: Feature) -> Code:
    missing = nan if feature.nullable else None
    if feature.type == "category":
        return _category(feature, missing)
    if feature.type == "boolean":
        return lambda value: 1.0 if value is True else 0.0 if value is False else missing if value is None else None
    limit = WHOLE if feature.type == "integer" else LARGEST
    low = -limit if feature.min is None else max(feature.min, -limit)
    high = limit if feature.max is None else min(feature.max, limit)
    return _integer(low, high, missing) if feature.type == "integer" else _number(low, high, missing)


def _category(feature: Feature, missing: float | None) -> Code:
    positions = {name: float(i) for i, name in enumerate(feature.categories)}

    def code(value: Any) -> float | None:
        if type(value) is str:
            return positions.get(value)
        return missing if value is None else None

    return code


def _number(low: float, high: float, missing: float | None) -> Code:
    def code(value: Any) -> float | None:
        kind = type(value)
        if kind is float or (kind is int and -WHOLE <= value <= WHOLE):
            return float(value) if low <= value <= high else None
        return missing if value is None else None

    return code


def _integer(low: float, high: float, missing: float | None) -> Code:
    def code(value: Any) -> float | None:
        kind = type(value)
        if kind is int or (kind is float and value.is_integer()):
            return float(value) if low <= value <= high else None
        return missing if value is None else None

    return code


def _uncode(feature: Feature) -> Callable[[float], Any]:
    if feature.type == "category":
        return lambda x: None if isnan(x) else feature.categories[int(x)]
    if feature.type == "boolean":
        return lambda x: None if isnan(x) else x != 0.0
    if feature.type == "integer":
        return lambda x: None if isnan(x) else int(x)
    return lambda x: None if isnan(x) else x


def _not_a_list(instances: object) -> Problem:
    hint = " Put the row into a list: [{...}]." if isinstance(instances, dict) else ""
    return Problem("instances", "type", f"A list of rows is needed, not {type(instances).__name__}.{hint}")


def _refused(problems: list[Problem], rows: int) -> InvalidRows:
    first = problems[0]
    cut = f" (the first {MOST_PROBLEMS} are listed)" if len(problems) >= MOST_PROBLEMS else ""
    count = f"{len(problems)} problems in {rows} rows{cut}. First: " if len(problems) > 1 else ""
    return InvalidRows(f"{count}{first.where}: {first.detail}", problems=problems)
