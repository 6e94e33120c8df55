"""A model's own answers worked out from its trees, where they are proven to be those of its library."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from explainer.attribution.model import Columns, IntArray, OpenedModel, Replica, Trees
from explainer.errors import ExplainerError
from explainer.formats.classifier import probabilities
from explainer.formats.structure.inside import encoded
from explainer.formats.structure.one_tree import IN_SET
from explainer.formats.structure.pipeline import proving_rows
from explainer.records import FloatArray, LoadOrder

Answer = Callable[[FloatArray], FloatArray]
TOLERANCE = 1e-12  # of an answer's scale, which is at least 1
MOST = 4096  # values on either side of thresholds, shared out among the columns that are asked about
_REFUSALS = (ExplainerError, ValueError, TypeError, KeyError, RuntimeError)


def proof_of(order: LoadOrder) -> FloatArray:
    """Rows to compare on: the golden ones, rows of the background, and as many mixtures of these."""
    return np.concatenate([order.golden_rows, proving_rows(order.background, order.manifest.features)])


def replicated(model: OpenedModel, rows: FloatArray) -> OpenedModel:
    """`model` with a replica, or as it is when it has no trees or they give other numbers than its library.

    They are compared on coded `rows`, and on variants of them in which a feature has the value of a threshold, the
    next one beyond, or another of the categories seen: margins and predictions must be within 1e-12 of their scale.
    Sums are taken in double precision, or in single precision where the library rounds what it compares.
    """
    if model.trees is None or model.margin is None:
        return model
    proof = np.ascontiguousarray(np.concatenate([rows, *_variants(model.trees, model.columns, rows)]))
    try:
        truth = (model.margin(proof), model.predict(proof))
    except _REFUSALS:
        return model  # the library refuses values that no row of the schema may have
    for candidate in _candidates(model, model.trees):
        if all(_same(made(proof), due) for made, due in zip((candidate.margin, candidate.predict), truth, strict=True)):
            return dataclasses.replace(model, replica=_asking_where_unproven(model, candidate, rows))
    return model


def _candidates(model: OpenedModel, trees: Trees) -> Iterator[Replica]:
    from explainer.attribution.trees.evaluate import margins, single_margins
    from explainer.attribution.trees.forest import lay_out

    forest = lay_out(trees, np.arange(int(trees.column.max(initial=0)) + 1, dtype=np.int64))
    for sums in (margins, single_margins) if trees.single else (margins,):

        def margin(rows: FloatArray, sums: Any = sums) -> FloatArray:
            found: FloatArray = sums(forest, encoded(model.columns, rows))
            return found

        def predict(rows: FloatArray, margin: Answer = margin) -> FloatArray:
            found = margin(rows)
            return found if model.link == "identity" else probabilities(found, model.link)

        yield Replica(predict, margin)


def _same(found: FloatArray, truth: FloatArray) -> bool:
    scale = max(1.0, float(np.abs(truth).max(initial=0.0)))
    return found.shape == truth.shape and bool((np.abs(found - truth) <= TOLERANCE * scale).all())


def _asking_where_unproven(model: OpenedModel, found: Replica, rows: FloatArray) -> Replica:
    """Features that were never missing in the proof: the library itself answers, or refuses, rows that lack them."""
    proven = np.flatnonzero(~np.isnan(rows).any(axis=0))

    def either(quick: Answer, library: Answer) -> Answer:
        return lambda given: library(given) if np.isnan(given[:, proven]).any() else quick(given)

    assert model.margin is not None
    return Replica(either(found.predict, model.predict), either(found.margin, model.margin))


def _variants(trees: Trees, columns: Columns | None, rows: FloatArray) -> Iterator[FloatArray]:
    """Rows with one feature set to what decides somewhere; only features that are a column themselves can be."""
    inner = np.flatnonzero(trees.left >= 0)
    inner = inner[np.argsort(trees.column[inner], kind="stable")]
    asked, first = np.unique(trees.column[inner], return_index=True)
    share = max(4, MOST // max(1, len(asked)))
    tried: list[tuple[int, float]] = []
    made = encoded(columns, rows)
    for column, nodes in zip(asked.tolist(), np.split(inner, first[1:]), strict=True):
        feature = column if columns is None else int(columns.owner[column])
        if np.array_equal(made[:, column], rows[:, feature], equal_nan=True):
            values = _deciding(trees, nodes, rows[:, feature])
            tried += [(feature, value) for value in _spread(values, share).tolist()]
    if not tried:
        return
    found = rows[np.arange(len(tried)) % len(rows)].copy()
    for row, (feature, value) in zip(found, tried, strict=True):
        row[feature] = value
    yield found


def _deciding(trees: Trees, nodes: IntArray, seen: FloatArray) -> FloatArray:
    """Values on either side of the thresholds of some nodes, among those that a feature may have."""
    known = seen[~np.isnan(seen)]
    if not len(known) or (trees.kind[nodes] == IN_SET).any():
        return np.unique(known)
    thresholds = np.unique(trees.threshold[nodes])
    if (known == np.floor(known)).all():  # a feature of whole numbers, or of codes
        whole = np.unique(np.concatenate([np.floor(thresholds), np.floor(thresholds) + 1]))
        return np.asarray(whole[(whole >= known.min()) & (whole <= known.max())])
    step = np.float32 if trees.single else np.float64
    with np.errstate(over="ignore", under="ignore"):
        exact = thresholds.astype(step)
        beside = [np.nextafter(exact, step(end)) for end in (-np.inf, np.inf)]
    around = np.unique(np.concatenate([np.zeros(1), exact, *beside]).astype(np.float64))
    return np.asarray(around[np.isfinite(around)])


def _spread(values: FloatArray, most: int) -> FloatArray:
    """All of the values, or that many of them from the lowest to the highest."""
    if len(values) <= most:
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, most).astype(np.int64)])
