"""Which feature every column of a fitted preprocessing comes from, and by which steps a number gets there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


class NotPerColumnError(Exception):
    """A step mixes columns, or is of a kind that is not known; the message says which."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on a column of numbers. `setting` tells steps apart that cannot be done in one go."""

    kind: str
    operand: float = 0.0
    setting: object = None


@dataclass(frozen=True, slots=True)
class Track:
    """A column made from feature `owner`: by `steps` from its number, or (`tabled`) by the value of its code."""

    owner: int
    tabled: bool
    steps: tuple[Step, ...] = ()

    def then(self, *steps: Step) -> Track:
        return self if self.tabled else Track(self.owner, False, self.steps + steps)


Tracks = list[Track]


def trace(transformer: Any, inputs: Tracks) -> Tracks:
    """The columns that a fitted transformer makes of `inputs`; raises NotPerColumnError."""
    if isinstance(transformer, str):
        if transformer == "drop":
            return []
        if transformer == "passthrough":
            return list(inputs)
    kind = type(transformer).__name__
    rule = _RULES.get(kind)
    if rule is None or not type(transformer).__module__.startswith("sklearn."):
        raise NotPerColumnError(f"{kind} is not a step that acts on each column by itself")
    return rule(transformer, inputs)


# --- composition ---------------------------------------------------------------------------------------------------


def _pipeline(pipeline: Any, inputs: Tracks) -> Tracks:
    for _, step in pipeline.steps:
        inputs = trace("passthrough" if step is None else step, inputs)
    return inputs


def _union(union: Any, inputs: Tracks) -> Tracks:
    if union.transformer_weights:
        raise NotPerColumnError("FeatureUnion with weights")
    return [track for _, one in union.transformer_list for track in trace(one, inputs)]


def _column_transformer(columns: Any, inputs: Tracks) -> Tracks:
    if columns.transformer_weights:
        raise NotPerColumnError("ColumnTransformer with weights")
    names = list(getattr(columns, "feature_names_in_", ()))
    made: Tracks = []
    for _, one, wanted in columns.transformers_:
        chosen = [inputs[i] for i in _positions(wanted, names, len(inputs))]
        made += trace(one, chosen) if chosen else []
    return made


def _positions(wanted: Any, names: Sequence[str], width: int) -> list[int]:
    """Column numbers of a ColumnTransformer's key: names, numbers, a slice of either, or a mask."""
    if isinstance(wanted, slice):
        ends = [names.index(e) if isinstance(e, str) else e for e in (wanted.start, wanted.stop)]
        if isinstance(wanted.stop, str):
            ends[1] += 1
        return list(range(width))[slice(ends[0], ends[1], wanted.step)]
    keys = [wanted] if isinstance(wanted, (str, int, np.integer)) else list(wanted)
    if keys and all(isinstance(k, (bool, np.bool_)) for k in keys):
        return [i for i, kept in enumerate(keys) if kept]
    return [names.index(k) if isinstance(k, str) else range(width)[int(k)] for k in keys]


# --- numbers -------------------------------------------------------------------------------------------------------


def _standard(scaler: Any, inputs: Tracks) -> Tracks:
    centred = _each(inputs, "subtract", scaler.mean_ if scaler.with_mean else None)
    return _each(centred, "divide", scaler.scale_)


def _min_max(scaler: Any, inputs: Tracks) -> Tracks:
    scaled = _each(_each(inputs, "multiply", scaler.scale_), "add", scaler.min_)
    if not scaler.clip:
        return scaled
    return [t.then(Step("clip", setting=tuple(map(float, scaler.feature_range)))) for t in scaled]


def _max_abs(scaler: Any, inputs: Tracks) -> Tracks:
    scaled = _each(inputs, "divide", scaler.scale_)
    return [t.then(Step("clip", setting=(-1.0, 1.0))) for t in scaled] if getattr(scaler, "clip", False) else scaled


def _robust(scaler: Any, inputs: Tracks) -> Tracks:
    centred = _each(inputs, "subtract", scaler.center_ if scaler.with_centering else None)
    return _each(centred, "divide", scaler.scale_ if scaler.with_scaling else None)


def _each(inputs: Tracks, kind: str, operands: Any) -> Tracks:
    if operands is None:
        return list(inputs)
    return [t.then(Step(kind, float(v))) for t, v in zip(inputs, operands, strict=True)]


def _binarizer(binarizer: Any, inputs: Tracks) -> Tracks:
    return [t.then(Step("above", float(binarizer.threshold))) for t in inputs]


def _function(transformer: Any, inputs: Tracks) -> Tracks:
    function = transformer.func
    if transformer.kw_args:
        raise NotPerColumnError("FunctionTransformer with arguments")
    if function is None:
        return list(inputs)
    if isinstance(function, np.ufunc) and function.nin == function.nout == 1:
        return [t.then(Step("ufunc", setting=function)) for t in inputs]
    if _only_checks(function):
        return list(inputs)
    raise NotPerColumnError("FunctionTransformer of a function that is not an elementwise ufunc")


def _only_checks(function: Any) -> bool:
    """HistGradientBoosting passes its numbers through a partial of scikit-learn's array check."""
    inner = getattr(function, "func", None)
    return getattr(inner, "__name__", "") == "check_array" and inner.__module__ == "sklearn.utils.validation"


# --- missing values ------------------------------------------------------------------------------------------------


def _imputer(imputer: Any, inputs: Tracks) -> Tracks:
    filled: Tracks = []
    for track, statistic in zip(inputs, imputer.statistics_, strict=True):
        empty = isinstance(statistic, float) and np.isnan(statistic)
        if empty and not getattr(imputer, "keep_empty_features", False):
            continue
        if empty:
            raise NotPerColumnError("SimpleImputer kept a column without any value")
        step = () if track.tabled else (Step("fill", float(statistic), _marker(imputer)),)
        filled.append(track.then(*step))
    return filled + (_indicator(imputer.indicator_, inputs) if imputer.add_indicator else [])


def _indicator(indicator: Any, inputs: Tracks) -> Tracks:
    return [
        inputs[i] if inputs[i].tabled else inputs[i].then(Step("missing", setting=_marker(indicator)))
        for i in indicator.features_
    ]


def _marker(step: Any) -> float | None:
    """The number that stands for missing, None for NaN."""
    marker = step.missing_values
    if marker is None or (isinstance(marker, float) and np.isnan(marker)):
        return None
    if isinstance(marker, (int, float)):
        return float(marker)
    return None


# --- categories ----------------------------------------------------------------------------------------------------


def _one_hot(encoder: Any, inputs: Tracks) -> Tracks:
    dropped = encoder.drop_idx_ if encoder.drop_idx_ is not None else [None] * len(inputs)
    rare = getattr(encoder, "infrequent_categories_", [None] * len(inputs))
    made: Tracks = []
    for track, found, drop, few in zip(inputs, encoder.categories_, dropped, rare, strict=True):
        if track.tabled:
            count = len(found) - (0 if few is None else len(few) - 1) - (drop is not None)
            made += [track] * count
        elif few is not None or encoder.handle_unknown == "error":
            raise NotPerColumnError("OneHotEncoder of numbers that refuses or groups some of them")
        else:
            made += [track.then(_equals(v)) for i, v in enumerate(found) if i != drop]
    return made


def _equals(value: Any) -> Step:
    number = float(value)
    return Step("missing") if np.isnan(number) else Step("equals", number)


def _ordinal(encoder: Any, inputs: Tracks) -> Tracks:
    return _tabled_only(encoder, inputs, [1] * len(inputs))


def _target(encoder: Any, inputs: Tracks) -> Tracks:
    if encoder.target_type_ == "multiclass":
        raise NotPerColumnError("TargetEncoder for several classes")
    return _tabled_only(encoder, inputs, [1] * len(inputs))


def _tabled_only(transformer: Any, inputs: Tracks, widths: Sequence[int]) -> Tracks:
    if not all(t.tabled for t in inputs):
        raise NotPerColumnError(f"{type(transformer).__name__} of numbers")
    return [t for t, width in zip(inputs, widths, strict=True) for _ in range(width)]


# --- selection -----------------------------------------------------------------------------------------------------


def _selection(selector: Any, inputs: Tracks) -> Tracks:
    return [inputs[i] for i in selector.get_support(indices=True)]


_RULES: dict[str, Callable[[Any, Tracks], Tracks]] = {
    "Pipeline": _pipeline,
    "FeatureUnion": _union,
    "ColumnTransformer": _column_transformer,
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
    "Binarizer": _binarizer,
    "FunctionTransformer": _function,
    "SimpleImputer": _imputer,
    "MissingIndicator": _indicator,
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "TargetEncoder": _target,
    "VarianceThreshold": _selection,
    "SelectKBest": _selection,
    "SelectPercentile": _selection,
    "SelectFromModel": _selection,
    "RFE": _selection,
    "RFECV": _selection,
}
