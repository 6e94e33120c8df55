"""Does the outcome hold when numbers are a little different, as they are when they are measured again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import inf

import numpy as np

from explainer.attribution.foreign import QUARTILES
from explainer.records import Feature, FloatArray
from explainer.reviews.distance import Gower
from explainer.reviews.oracle import Crossed, Predict

PAIRS = 16  # of opposite directions
SIZE = 0.02  # of the background's interquartile range


@dataclass(frozen=True, slots=True)
class Stability:
    """What became of the outcome in `directions` in which all numbers were changed a little.

    `kept` is the share of directions that keep it, `flips` counts the others; one is enough to call it `unstable`.
    `lowest` and `highest` are the range of the scores. Nothing can be said (`directions` 0) of a row without numbers.
    """

    kept: float
    flips: int
    unstable: bool
    directions: int
    lowest: float
    highest: float
    evaluations: int
    told: str


def stability(
    row: FloatArray,
    schema: Sequence[Feature],
    background: FloatArray | Gower,
    predict: Predict,
    crossed: Crossed,
) -> Stability:
    """Change all numbers of a coded row (features,) at once by SIZE, up or down, in 2 PAIRS directions; ask once.

    Integers change by whole numbers, at least 1; everything stays within min and max; categories, booleans and what is
    missing stay as they are. The directions are drawn from the row itself, each with its opposite, so that the same
    row has the same answer. `crossed` says which scores (n,) lead to the other outcome. It shows that an outcome hangs
    on such small differences; that all directions keep it is no proof that none changes it.
    """
    gower = background if isinstance(background, Gower) else Gower.of(schema, background)
    sizes = _sizes(row, schema, gower)
    if not sizes.any():
        score = predict(row[None])[0]
        told = "There is no number in the row to change a little."
        return Stability(1.0, 0, False, 0, float(score), float(score), 1, told)
    seed = int.from_bytes(blake2b((row + 0.0).tobytes(), digest_size=8).digest(), "little")
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (PAIRS, len(row)))
    rows = np.where(sizes > 0, np.clip(row + np.vstack([signs, -signs]) * sizes, *_limits(schema)), row)
    scores = predict(rows)
    flips = int(crossed(scores).sum())
    return Stability(
        kept=1.0 - flips / len(rows),
        flips=flips,
        unstable=flips > 0,
        directions=len(rows),
        lowest=float(scores.min()),
        highest=float(scores.max()),
        evaluations=len(rows),
        told=_told(flips, len(rows)),
    )


def _sizes(row: FloatArray, schema: Sequence[Feature], gower: Gower) -> FloatArray:
    """How far each value goes (features,): 0 for what is no number or is missing or never differs."""
    sizes = np.where(gower.numeric & (gower.unit > 0) & ~np.isnan(row), SIZE * QUARTILES * gower.spread, 0.0)
    whole = np.array([f.type == "integer" for f in schema])
    return np.asarray(np.where(whole & (sizes > 0), np.fmax(np.round(sizes), 1.0), sizes))


def _limits(schema: Sequence[Feature]) -> tuple[FloatArray, FloatArray]:
    low = np.array([-inf if f.min is None else f.min for f in schema])
    high = np.array([inf if f.max is None else f.max for f in schema])
    whole = np.array([f.type == "integer" for f in schema])
    return np.where(whole, np.ceil(low), low), np.where(whole, np.floor(high), high)


def _told(flips: int, directions: int) -> str:
    moved = f"all numbers were changed by about {SIZE:.0%} of their usual spread, in {directions} directions"
    if flips:
        return f"The outcome hangs on small differences: in {flips} of {directions} it is the other one, when {moved}."
    return f"The outcome stayed the same when {moved}. That is no proof that no small difference changes it."
