"""One tree as a library tells it, and many of them put together into the attribution room's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from explainer.attribution.model import Trees
from explainer.records import FloatArray

Number = TypeVar("Number", bound=np.generic)

SMALLER_OR_EQUAL, SMALLER, IN_SET, ZERO_MISSING = 0, 1, 2, 3
LARGEST_CATEGORY = 1 << 20  # a set with larger codes would need too much memory


@dataclass(frozen=True, slots=True)
class OneTree:
    """Arrays over the nodes of one tree; children are numbered within the tree, -1 at a leaf; node 0 is the root.

    `sets` gives the categories of each node of kind IN_SET; the other fields are as in `attribution.model.Trees`.
    """

    column: npt.ArrayLike
    kind: npt.ArrayLike
    threshold: npt.ArrayLike
    left: npt.ArrayLike
    right: npt.ArrayLike
    missing_left: npt.ArrayLike
    value: FloatArray  # (nodes, outputs)
    cover: npt.ArrayLike
    sets: Mapping[int, Sequence[int]] = field(default_factory=dict)


def together(trees: Sequence[OneTree], base: npt.ArrayLike, *, single: bool) -> Trees:
    """Concatenate the trees; `base` has one number per output; leaf values at inner nodes are dropped."""
    sizes = [len(t.value) for t in trees]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    left = _children([t.left for t in trees], offsets)
    value = np.concatenate([np.asarray(t.value, dtype=np.float64) for t in trees])
    value[left >= 0] = 0.0
    start, size, words = _sets(trees, offsets)
    return Trees(
        roots=offsets[:-1],
        column=_joined([t.column for t in trees], np.int64),
        kind=_joined([t.kind for t in trees], np.int8),
        threshold=_joined([t.threshold for t in trees], np.float64),
        left=left,
        right=_children([t.right for t in trees], offsets),
        missing_left=_joined([t.missing_left for t in trees], np.bool_),
        set_start=start,
        set_size=size,
        set_words=words,
        value=value,
        cover=_joined([t.cover for t in trees], np.float64),
        base=np.asarray(base, dtype=np.float64).reshape(-1),
        single=single,
    )


def _joined(parts: Sequence[npt.ArrayLike], kind: type[Number]) -> npt.NDArray[Number]:
    return np.concatenate([np.asarray(p, dtype=kind) for p in parts])


def _children(parts: Sequence[npt.ArrayLike], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    numbered = [np.asarray(p, dtype=np.int64) for p in parts]
    return np.concatenate([np.where(p < 0, -1, p + o) for p, o in zip(numbered, offsets, strict=False)])


def _sets(
    trees: Sequence[OneTree], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    start, size = np.zeros(offsets[-1], np.int64), np.zeros(offsets[-1], np.int64)
    words: list[npt.NDArray[np.uint64]] = []
    used = 0
    for tree, offset in zip(trees, offsets, strict=False):
        for node, codes in tree.sets.items():
            bits = _bits(codes)
            start[offset + node], size[offset + node] = used, len(bits)
            words.append(bits)
            used += len(bits)
    return start, size, np.concatenate(words) if words else np.zeros(0, np.uint64)


def _bits(codes: Sequence[int]) -> npt.NDArray[np.uint64]:
    bits = np.zeros((max(codes) >> 6) + 1 if codes else 0, np.uint64)
    for code in codes:
        bits[code >> 6] |= np.uint64(1) << np.uint64(code & 63)
    return bits
