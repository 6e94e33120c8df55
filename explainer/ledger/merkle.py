"""The Merkle tree of RFC 9162 as pure functions: roots, proofs, and what a proof is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()  # the root of a tree without leaves

Subtree = Callable[[int, int], bytes]  # (height, place) -> root of the leaves from place * 2^height, 2^height of them


def leaf(written: bytes) -> bytes:
    return sha256(b"\x00" + written).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Growing:
    """A tree that gets one leaf after the other and keeps only the roots of its complete subtrees."""

    __slots__ = ("_roots", "size")

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def add(self, hashed: bytes) -> None:
        """Take in a leaf's hash."""
        full = self.size
        while full & 1:
            hashed = node(self._roots.pop(), hashed)
            full >>= 1
        self._roots.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        if not self._roots:
            return EMPTY
        *others, found = self._roots
        for left in reversed(others):
            found = node(left, found)
        return found


def root(at: Subtree, size: int, start: int = 0) -> bytes:
    """The root over the leaves from `start` (a place where a subtree begins) up to `size`."""
    count = size - start
    if count == 0:
        return EMPTY
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return at(height, start >> height)
    half = _half(count)
    return node(root(at, start + half, start), root(at, size, start + half))


def inclusion(at: Subtree, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` (from 0) is in the tree of `size` leaves. Raises ValueError for one that is not."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            path.append(root(at, end, middle))
            end = middle
        else:
            path.append(root(at, middle, start))
            start = middle
    return path[::-1]


def consistency(at: Subtree, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves is the beginning of that of `second`; raises ValueError."""
    if not 0 < first <= second:
        raise ValueError(f"a tree of {first} leaves cannot be the beginning of one of {second}")
    path, start, end, whole = [], 0, second, True
    while first != end:
        middle = start + _half(end - start)
        if first <= middle:
            path.append(root(at, end, middle))
            end = middle
        else:
            path.append(root(at, middle, start))
            start, whole = middle, False
    return ([] if whole else [root(at, end, start)]) + path[::-1]


def is_included(hashed: bytes, index: int, size: int, path: Sequence[bytes], whole: bytes) -> bool:
    """Whether the proof leads from the leaf's hash to the root `whole` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, hashed
    for beside in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(beside, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and found == whole


def is_consistent(first: int, second: int, path: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    """Whether the proof shows the one tree to be the beginning of the other (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and roots[0] == roots[1]
    rest = [roots[0], *path] if first & (first - 1) == 0 else list(path)
    if not rest:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = rest[0]
    for beside in rest[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node(beside, before), node(beside, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node(after, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and (before, after) == roots


def _half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
