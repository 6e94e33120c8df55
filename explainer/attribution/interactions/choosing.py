"""Which way of getting a row's interactions is the best that fits, and why."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explainer.attribution import seeds
from explainer.attribution.enumeration import cost
from explainer.attribution.game import in_space
from explainer.attribution.interactions import forest
from explainer.attribution.interactions.enumerated import enumerated
from explainer.attribution.interactions.matrix import Matrix, exact
from explainer.attribution.interactions.sampled import USUAL, sampled
from explainer.attribution.methods import linear
from explainer.attribution.methods.exact import AUTO_LIMIT, LIMIT
from explainer.attribution.ports import Ask, Subject
from explainer.errors import InvalidOption
from explainer.records import FloatArray

NAMES = ("linear", "tree", "exact", "permutation")
KEPT = 8  # forests kept ready, by output space and outputs


@dataclass(frozen=True, slots=True)
class Way:
    """How one row's interactions are got; `seed` is None where nothing is drawn."""

    name: str
    exact: bool
    reason: str
    matrix: Callable[[], Matrix]
    seed: int | None = None


class Interaction:
    """What seeds are derived for; `version` is raised whenever a number may change."""

    name: ClassVar[str] = "interactions"
    version: ClassVar[int] = 2


class Chooser:
    """The ladder for one subject: closed form, the trees themselves, every coalition, sampling."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._forests: OrderedDict[tuple[str, tuple[int, ...]], forest.Margins | forest.Linked | str] = OrderedDict()

    def way(self, row: FloatArray, ask: Ask, wanted: str, seed: int | None) -> Way:
        """The first that fits, or the one `wanted` by name.

        Raises InvalidOption when `wanted` is unknown or does not fit.
        """
        if wanted not in ("auto", "shap", *NAMES):
            raise InvalidOption(f"method: {wanted!r} gives no interactions; choose one of auto, {', '.join(NAMES)}.")
        refused = ""
        for name in NAMES if wanted in ("auto", "shap") else (wanted,):
            found = getattr(self, f"_{name}")(row, ask, seed)
            if isinstance(found, Way):
                return found
            refused = found
        raise InvalidOption(f"method: {wanted!r} does not fit: {refused}")

    def _linear(self, row: FloatArray, ask: Ask, seed: int | None) -> Way | str:
        suited = linear.METHOD.suits(self._subject, ask, row)
        if not suited.fits:
            return suited.why

        def matrix() -> Matrix:
            given = linear.METHOD.prepare(self._subject, ask).explain(row[None], [0], ask)
            phi = given.values[0]
            return exact(np.zeros((row.size, *phi.shape)), phi, given.expected[0], 0)

        return Way("linear", True, f"{suited.why} Nothing interacts in a sum.", matrix)

    def _tree(self, row: FloatArray, ask: Ask, seed: int | None) -> Way | str:
        ready = self._forest(ask)
        if isinstance(ready, str):
            return ready
        if isinstance(ready, forest.Margins):
            why = f"Output {ask.space} is a sum of trees, whose interactions were added up leaf by leaf: exact."
            return Way("tree", True, why, lambda: ready.matrix(row))
        allowed = min(ask.max_evaluations or forest.LIMIT, forest.LIMIT)
        due = ready.due(row, allowed)
        if due > allowed:
            return f"Output {ask.space} takes more than the {allowed:,} coalitions of the trees that are allowed."
        why = f"Output {ask.space} bends a sum of trees; all {due:,} coalitions that decide were enumerated: exact."
        return Way("tree", True, why, lambda: ready.matrix(row))

    def _exact(self, row: FloatArray, ask: Ask, seed: int | None) -> Way | str:
        against = self._subject.background
        due, allowed = cost(row, against), min(ask.max_evaluations or (LIMIT if ask.named else AUTO_LIMIT), LIMIT)
        if due > allowed:
            return f"Enumerating this row takes {due:,.0f} evaluations, more than the {allowed:,} that are allowed."
        game = in_space(self._subject.model, ask.space, ask.outputs)
        why = f"All {due:,.0f} combinations of this row with the background were evaluated: exact."
        return Way("exact", True, why, lambda: enumerated(game, row, against))

    def _permutation(self, row: FloatArray, ask: Ask, seed: int | None) -> Way | str:
        drawn = seeds.derived(self._subject, row, Interaction, ask) if seed is None else seed  # type: ignore[arg-type]
        game = in_space(self._subject.model, ask.space, ask.outputs)
        budget = ask.max_evaluations or USUAL
        why = "Sampled by walks in which every two features meet; the standard errors say how far off."
        return Way(
            "permutation",
            False,
            why,
            lambda: sampled(game, row, self._subject.background, drawn, budget, ask.confidence),
            drawn,
        )

    def _forest(self, ask: Ask) -> forest.Margins | forest.Linked | str:
        key = (ask.space, ask.outputs)
        if key not in self._forests:
            self._forests[key] = forest.prepared(self._subject, ask)
        self._forests.move_to_end(key)
        while len(self._forests) > KEPT:
            self._forests.popitem(last=False)
        return self._forests[key]
