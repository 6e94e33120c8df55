"""Small worlds to search in: a schema, background rows, a row, and a model with effects and interactions."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from explainer.records import Feature, FloatArray
from explainer.reviews.oracle import Crossed


@dataclass
class World:
    features: tuple[Feature, ...]
    background: FloatArray
    row: FloatArray
    weights: FloatArray
    pairs: FloatArray
    threshold: float
    upward: bool

    def predict(self, rows: FloatArray) -> FloatArray:
        """Bends and interactions; a missing value is one of its own. Rounded: a score never hangs on the batch."""
        x = np.where(np.isnan(rows), -1.5, rows)
        y = np.sin(x * 0.7) + 0.2 * x
        return np.round(y @ self.weights + np.einsum("ni,ij,nj->n", y, self.pairs, y), 9)

    @property
    def crossed(self) -> Crossed:
        return lambda scores: scores >= self.threshold if self.upward else scores < self.threshold

    @property
    def already(self) -> bool:
        return bool(self.crossed(self.predict(self.row[None]))[0])


def world(seed: int, *, features: int, rows: int = 20, wide: bool = False) -> World:
    """A world of its own for each seed; with `wide` numbers take many values, otherwise few."""
    random = np.random.default_rng(seed)
    schema = tuple(_feature(random, i, wide) for i in range(features))
    drawn = np.column_stack([_column(random, f, rows + 1, wide) for f in schema])
    weights, pairs = random.normal(size=features), random.normal(size=(features, features)) * 0.3
    whole = World(schema, drawn[1:], drawn[0], weights, pairs, 0.0, bool(random.random() < 0.5))
    scores = whole.predict(drawn)
    whole.threshold = float(np.quantile(scores, random.uniform(0.05, 0.95)))
    return whole


def _feature(random: np.random.Generator, i: int, wide: bool) -> Feature:
    kind = random.choice(["number", "integer", "category", "boolean"])
    free: dict[str, Any] = {"mutable": bool(random.random() < 0.85), "nullable": bool(random.random() < 0.4)}
    if free["mutable"]:
        free["changes"] = str(random.choice(["any", "any", "up", "down"]))
    if kind == "category":
        return Feature(f"f{i}", "category", categories=("a", "b", "c", "d"), **free)
    if kind == "boolean":
        return Feature(f"f{i}", "boolean", **free)
    if random.random() < 0.5:
        free |= {"min": 0.0, "max": float(random.integers(2, 9))}
    if kind == "integer":
        return Feature(f"f{i}", "integer", step=2.0 if free["mutable"] and random.random() < 0.3 else None, **free)
    return (
        Feature(f"f{i}", "number", step=float(random.choice([0.1, 2.5])) if free["mutable"] else None, **free)
        if (not wide or random.random() < 0.5)
        else Feature(f"f{i}", "number", **free)
    )


def _column(random: np.random.Generator, feature: Feature, count: int, wide: bool) -> FloatArray:
    if feature.type in ("category", "boolean"):
        column = random.integers(0, 4 if feature.type == "category" else 2, count).astype(np.float64)
    else:
        column = random.lognormal(1.0, 1.0 if wide else 0.4, count)
        column = np.clip(column, feature.min, feature.max) if feature.max is not None else column
        column = np.floor(column) if feature.type == "integer" else np.round(column, 3)
    if feature.nullable:
        column[random.random(count) < 0.15] = np.nan
    return column


def far(world: World, one: FloatArray, other: FloatArray) -> float:
    """Gower's distance of two rows, value by value, as the documentation states it."""
    parts = []
    for j, feature in enumerate(world.features):
        a, b = float(one[j]), float(other[j])
        known = world.background[:, j][~np.isnan(world.background[:, j])]
        if isnan(a) or isnan(b):
            parts.append(float(isnan(a) != isnan(b)))
        elif feature.type in ("category", "boolean") or len(known) == 0 or known.min() == known.max():
            parts.append(float(a != b))
        else:
            parts.append(_number_part(known, a, b))
    return sum(parts) / len(parts)


def _number_part(known: FloatArray, a: float, b: float) -> float:
    quarter, middle, upper = np.quantile(known, [0.25, 0.5, 0.75])
    spread = (upper - quarter) / 1.349 or known.std()
    place = [float(np.arcsinh((x - middle) / spread)) for x in (a, b)]
    scaled = np.arcsinh((known - middle) / spread)
    low, high = np.quantile(scaled, [0.05, 0.95], method="nearest")
    unit = high - low or scaled.max() - scaled.min()
    return min(1.0, abs(place[0] - place[1]) / unit)


def nearest(world: World, row: FloatArray) -> float:
    return min(far(world, row, other) for other in world.background)


def usual(world: World) -> float:
    """The 95 % quantile of the background rows' distances to their nearest other row."""
    rows = world.background
    apart = [min(far(world, a, b) for j, b in enumerate(rows) if i != j) for i, a in enumerate(rows)]
    return float(np.quantile(apart, 0.95, method="higher"))
