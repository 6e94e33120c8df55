"""Preprocessing whose steps act on each column by itself, rebuilt in numpy and proven on real and mixed rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explainer.attribution.model import Columns
from explainer.errors import ModelRefused
from explainer.formats.structure.encoder import Encoder
from explainer.formats.structure.tracks import NotPerColumnError, Track, trace
from explainer.records import Feature, FloatArray

Transform = Callable[[FloatArray], FloatArray]
TOLERANCE = 1e-12
PROVING_ROWS = 256
_REFUSALS = (ValueError, TypeError, KeyError)


def read(
    transformer: Any, transform: Transform, features: Sequence[Feature], inputs: Sequence[int], background: FloatArray
) -> Columns:
    """The columns that fitted `transformer` makes of coded rows, as a fast numpy encoder with one owner a column.

    `transform` does the same by the library itself: coded rows to a dense float64 matrix; `inputs[i]` is the feature
    that the transformer takes as its column i. Raises NotPerColumnError, saying why, when a step mixes columns, is
    unknown, or the rebuilt columns differ anywhere on background rows and random mixtures of them; ModelRefused when
    the transformer refuses a category that the schema allows.
    """
    coded = [f.type in ("category", "boolean") for f in features]
    tracks = trace(transformer, [Track(i, coded[i]) for i in inputs])
    base = background[0]
    tables = {i: _table(i, features[i], base, transform) for i in sorted({t.owner for t in tracks if t.tabled})}
    proof = proving_rows(background, features)
    truth = _try(transform, proof)
    if truth.shape[1] != len(tracks):
        raise NotPerColumnError(f"the preprocessing makes {truth.shape[1]} columns where {len(tracks)} were expected")
    encoder = Encoder(tracks, tables)
    _prove(encoder(proof), truth)
    return Columns(encode=encoder, owner=np.array([t.owner for t in tracks], dtype=np.int64))


def proving_rows(background: FloatArray, features: Sequence[Feature]) -> FloatArray:
    """Background rows, and as many random mixtures of them in which nullable values go missing now and then."""
    random = np.random.default_rng(20_240_601)
    rows = background[random.permutation(len(background))[:PROVING_ROWS]]
    picks = random.integers(0, len(background), size=(PROVING_ROWS, background.shape[1]))
    mixed = np.take_along_axis(background, picks, axis=0)
    nullable = np.array([f.nullable for f in features], dtype=bool)
    mixed[(random.random(mixed.shape) < 0.1) & nullable] = np.nan
    return np.ascontiguousarray(np.concatenate([rows, mixed]))


def _table(index: int, feature: Feature, base: FloatArray, transform: Transform) -> FloatArray:
    """What the library makes of every code of one feature, missing last (NaN where the schema has no missing)."""
    codes: list[float] = [float(c) for c in range(len(feature.categories) if feature.type == "category" else 2)]
    rows = np.tile(base, (len(codes) + feature.nullable, 1))
    rows[:, index] = [*codes, np.nan] if feature.nullable else codes
    try:
        made = transform(rows)
    except _REFUSALS:
        _name_refused(feature, rows, transform)
        raise
    return made if feature.nullable else np.vstack([made, np.full((1, made.shape[1]), np.nan)])


def _name_refused(feature: Feature, rows: FloatArray, transform: Transform) -> None:
    names: list[object] = [*(feature.categories or ("false", "true")), "a missing value"]
    for name, row in zip(names, rows, strict=False):
        try:
            transform(row[None, :])
        except _REFUSALS as error:
            raise ModelRefused(
                f"Feature '{feature.name}': the schema allows {name!r}, "
                f"which the model's preprocessing refuses: {error}"
            ) from error


def _try(transform: Transform, rows: FloatArray) -> FloatArray:
    try:
        return transform(rows)
    except _REFUSALS as error:
        raise ModelRefused(f"The model's preprocessing refuses rows that the schema allows: {error}") from error


def _prove(made: FloatArray, truth: FloatArray) -> None:
    scale = 1.0 + np.nanmax(np.abs(np.where(np.isnan(truth), 0.0, truth)), axis=0, initial=0.0)
    same = (np.abs(made - truth) <= TOLERANCE * scale) | (np.isnan(made) & np.isnan(truth))
    if not same.all():
        column = int(np.argwhere(~same)[0][1])
        raise NotPerColumnError(f"column {column} of the preprocessing is not what its steps say")
