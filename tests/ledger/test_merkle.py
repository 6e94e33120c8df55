"""The tree of RFC 9162: roots and proofs against a plain reading of its definitions."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from explainer.ledger.merkle import (
    EMPTY,
    Growing,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf,
    node,
    root,
)

LEAVES = [leaf(bytes([i])) for i in range(70)]
# The eight leaves with which implementations of RFC 6962 and its successor are compared.
KNOWN = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
KNOWN.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))


def defined(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1.1 defines it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node(defined(leaves[:half]), defined(leaves[half:]))


def at(height: int, place: int) -> bytes:
    return defined(LEAVES[place << height : (place + 1) << height])


def test_the_root_of_the_eight_known_leaves() -> None:
    """The same root that other implementations get."""
    growing = Growing()
    for written in KNOWN:
        growing.add(leaf(written))
    assert growing.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_roots_are_as_defined_at_every_size() -> None:
    """Grown leaf by leaf, put together from subtrees, or by definition: one root."""
    growing = Growing()
    assert growing.root() == root(at, 0) == EMPTY
    for size, hashed in enumerate(LEAVES, 1):
        growing.add(hashed)
        assert growing.root() == root(at, size) == defined(LEAVES[:size])


def test_every_entry_is_proven_in_every_tree() -> None:
    """All proofs lead to the root; with another leaf, place, size, hash or root they do not."""
    chooser = random.Random(1)
    for size in range(1, 40):
        whole = defined(LEAVES[:size])
        for index in range(size):
            path = inclusion(at, index, size)
            assert is_included(LEAVES[index], index, size, path, whole)
            assert not is_included(LEAVES[index + 1], index, size, path, whole)
            assert not is_included(LEAVES[index], index, size, [*path, EMPTY], whole)
            assert not is_included(LEAVES[index], index, size, path, EMPTY)
            if path:
                assert not is_included(LEAVES[index], (index + 1) % size, size, path, whole)
                assert not is_included(LEAVES[index], index, size, path[:-1], whole)
                i = chooser.randrange(len(path))
                assert not is_included(LEAVES[index], index, size, [*path[:i], EMPTY, *path[i + 1 :]], whole)


def test_every_beginning_is_proven() -> None:
    """All proofs fit both roots; with another root or one hash changed they do not."""
    for second in range(1, 40):
        for first in range(1, second + 1):
            roots = defined(LEAVES[:first]), defined(LEAVES[:second])
            path = consistency(at, first, second)
            assert is_consistent(first, second, path, roots)
            assert not is_consistent(first, second, path, (EMPTY, roots[1]))
            assert not is_consistent(first, second, path, (roots[0], EMPTY))
            for i in range(len(path)):
                assert not is_consistent(first, second, [*path[:i], EMPTY, *path[i + 1 :]], roots)
                assert not is_consistent(first, second, path[:i] + path[i + 1 :], roots)


def test_what_is_not_there_is_not_proven() -> None:
    """No proof of a leaf behind the end, nor of a longer beginning; and no such proof is believed."""
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="not among"):
            inclusion(at, index, size)
        assert not is_included(LEAVES[0], index, size, [], LEAVES[0])
    for first, second in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="beginning"):
            consistency(at, first, second)
        assert not is_consistent(first, second, [], (EMPTY, EMPTY))
    assert not is_consistent(3, 5, [], (EMPTY, EMPTY))
