"""Random forests of every kind of test, and the truth about them by plain enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.evaluate import evaluate
from explainer.formats.structure.one_tree import OneTree, together
from explainer.records import FloatArray

Game = Callable[[FloatArray], FloatArray]


@dataclass
class Grown:
    """The nodes of one random tree while it grows."""

    random: np.random.Generator
    columns: int
    depth: int
    outputs: int
    group: int | None

    def tree(self) -> OneTree:
        self.nodes: list[dict[str, float]] = []
        self.values: list[FloatArray] = []
        self.sets: dict[int, list[int]] = {}
        self._grow(0, 100.0)
        part = {k: [n[k] for n in self.nodes] for k in self.nodes[0]}
        return OneTree(value=np.array(self.values), sets=self.sets, **part)

    def _grow(self, depth: int, cover: float) -> int:
        r, i = self.random, len(self.nodes)
        node: dict[str, float] = {"column": 0, "kind": 0, "threshold": 0.0, "left": -1, "right": -1}
        node |= {"missing_left": False, "cover": cover}
        self.nodes.append(node)
        value = r.normal(size=self.outputs)
        self.values.append(value if self.group is None else np.where(np.arange(self.outputs) == self.group, value, 0.0))
        if depth < self.depth and r.random() < 0.92:
            node["column"], node["kind"] = int(r.integers(self.columns)), int(r.integers(4))
            node["threshold"], node["missing_left"] = float(r.integers(-2, 3)) / 2, bool(r.integers(2))
            if node["kind"] == 2:
                self.sets[i] = [int(c) for c in r.integers(0, 70 if r.random() < 0.5 else 3, 3)]
            share = r.uniform(0.1, 0.9)
            node["left"] = self._grow(depth + 1, cover * share)
            node["right"] = self._grow(depth + 1, cover * (1 - share))
        return i


def random_trees(
    seed: int, *, columns: int, depth: int, outputs: int = 1, trees: int = 2, vector: bool = False
) -> Trees:
    """Trees with all four kinds of test; each adds to one output, or with `vector` to all."""
    r = np.random.default_rng(seed)
    groups = [None if vector else int(r.integers(outputs)) for _ in range(trees)]
    parts = [Grown(r, columns, depth, outputs, group).tree() for group in groups]
    return together(parts, r.normal(size=outputs), single=bool(r.integers(2)))


def random_rows(seed: int, rows: int, columns: int) -> FloatArray:
    """Halves from -1.5 to 1.5, so that thresholds and categories are met exactly, a sixth of them missing."""
    r = np.random.default_rng(seed)
    x = r.integers(-3, 4, size=(rows, columns)) / 2.0
    x[r.random((rows, columns)) < 0.15] = np.nan
    return x


def random_weights(seed: int, rows: int) -> FloatArray:
    w = np.random.default_rng(seed).random(rows)
    return np.asarray(w / w.sum())


def margin(trees: Trees) -> Game:
    return lambda columns: evaluate(trees, columns)


def interventional(game: Game, x: FloatArray, z: FloatArray, weights: FloatArray, owner: IntArray) -> FloatArray:
    """Shapley values (players, outputs) of one row by evaluating every coalition of players on every background row."""

    def value(coalition: int) -> FloatArray:
        held = np.array([(coalition >> o) & 1 for o in owner], dtype=bool)
        return np.asarray(weights @ game(np.where(held, x, z)))

    return shapley(value, int(owner.max()) + 1)


def path_dependent(trees: Trees, x: FloatArray, owner: IntArray) -> FloatArray:
    """Shapley values (players, outputs) of the game whose absent players' tests send the row both ways, by covers."""
    alone = {int(n): _stump(trees, int(n)) for n in np.flatnonzero(trees.left >= 0)}

    def reached(node: int, coalition: int) -> FloatArray:
        if trees.left[node] < 0:
            return np.asarray(trees.value[node])
        left, right = int(trees.left[node]), int(trees.right[node])
        if (coalition >> int(owner[trees.column[node]])) & 1:
            return reached(left if evaluate(alone[node], x[None])[0, 0] else right, coalition)
        cover = trees.cover
        both = cover[left] * reached(left, coalition) + cover[right] * reached(right, coalition)
        return np.asarray(both / cover[node])

    return shapley(lambda s: sum((reached(int(r), s) for r in trees.roots), trees.base), int(owner.max()) + 1)


def _stump(trees: Trees, node: int) -> Trees:
    """A tree of one test that says 1 for left."""
    one = {k: [getattr(trees, k)[node]] for k in ("column", "kind", "threshold", "missing_left")}
    words = trees.set_words[trees.set_start[node] : trees.set_start[node] + trees.set_size[node]]
    codes = [c for c in range(64 * len(words)) if (int(words[c >> 6]) >> (c & 63)) & 1]
    tree = OneTree(
        **{k: [*v, v[0], v[0]] for k, v in one.items()},
        left=[1, -1, -1],
        right=[2, -1, -1],
        value=np.array([[0.0], [1.0], [0.0]]),
        cover=[0, 0, 0],
        sets={0: codes} if one["kind"] == [2] else {},
    )
    return together([tree], [0.0], single=trees.single)


def shapley(value: Callable[[int], FloatArray], players: int) -> FloatArray:
    """The textbook sum over all coalitions, given as bits."""
    v = [value(s) for s in range(2**players)]
    phi = np.zeros((players, len(v[0])))
    for i in range(players):
        for s in range(2**players):
            if not (s >> i) & 1:
                size = s.bit_count()
                share = math.factorial(size) * math.factorial(players - 1 - size) / math.factorial(players)
                phi[i] += share * (v[s | 1 << i] - v[s])
    return phi
