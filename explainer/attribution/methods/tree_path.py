"""Path-dependent Shapley values of tree ensembles: absent features follow the training rows, without a background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.methods.tree import encoded, narrowed, owners, which_margins
from explainer.attribution.model import IntArray, OpenedModel
from explainer.attribution.ports import Ask, Attributions, Subject, Suitability
from explainer.attribution.trees import attribute, path
from explainer.attribution.trees.size import too_large
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class PreparedTreePath:
    """Tables of the margins in `place` (outputs asked for), each to be turned round where `sign` is -1."""

    model: OpenedModel
    prepared: path.PreparedPath
    place: IntArray
    sign: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Exact to rounding for the path-dependent game; `expected` is the training rows' mean, as the covers tell."""
        columns, tables = encoded(self.model, rows), self.prepared.tables
        values = path.attribute_path(self.prepared, columns)[:, :, self.place] * self.sign + 0.0
        return Attributions(
            values=values,
            standard_errors=np.zeros_like(values),
            expected=np.tile(tables.expected[self.place] * self.sign, (len(rows), 1)),
            predictions=attribute.predict(tables, columns)[:, self.place] * self.sign,
            evaluations=np.zeros(len(rows), dtype=np.int64),
            exact=True,
            additive=True,
        )


class TreePath:
    name: ClassVar[str] = "tree_path"
    version: ClassVar[int] = 2
    family: ClassVar[Literal["shap", "lime", "other"]] = "other"
    rung: ClassVar[int] = 95
    summary: ClassVar[str] = "Another question: absent features follow the training rows down the trees; no background."

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        trees = subject.model.trees
        if trees is None:
            return _unfit("The model is not known to be a tree ensemble.")
        if which_margins(subject.model, ask) is None:
            return _unfit(f"Path-dependent values exist for the sum of the trees, not for output {ask.space}.")
        if not (trees.cover[trees.roots] > 0).all():
            return _unfit("The model does not say how many training rows went down each branch.")
        if reason := too_large(trees, owners(subject), 0):
            return _unfit(reason)
        why = "Absent features follow the training rows down each tree instead of a background: "
        return Suitability(fits=True, exact=True, why=why + "exact for that game, not comparable with method tree.")

    def prepare(self, subject: Subject, ask: Ask) -> PreparedTreePath:
        """Raises ValueError when the model has no trees or no such output: `suits` says so first."""
        picked = which_margins(subject.model, ask)
        if subject.model.trees is None or picked is None:
            raise ValueError(f"The tree_path method has no output {ask.space} of this model.")
        trees, place = narrowed(subject.model.trees, picked[0])
        prepared = path.prepare(trees, owners(subject), len(subject.names))
        return PreparedTreePath(subject.model, prepared, place, picked[1])


def _unfit(why: str) -> Suitability:
    return Suitability(fits=False, exact=True, why=why)


METHOD = TreePath()
