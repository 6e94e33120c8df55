"""A fixed set of coalitions in which, within each size, every player appears about equally often."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from explainer.attribution.model import BoolArray
from explainer.attribution.sampled.classes import Classes

ATTEMPTS = 20  # at a coalition that is not there yet, the second half from a new deck; then one is taken twice


def coalitions(of: Classes, draws: np.random.Generator) -> BoolArray:
    """One coalition of every pair, shape (pairs, players), in the order of the classes."""
    parts = [
        _every(of.players, int(s)) if whole else _dealt(of.players, int(s), int(n), draws)
        for s, n, whole in zip(of.size, of.pairs, of.whole, strict=True)
    ]
    return np.concatenate(parts)


def _every(players: int, size: int) -> BoolArray:
    """All coalitions of a size; of those with half the players only the ones that hold the first."""
    half = 2 * size == players
    found = [c for c in combinations(range(players), size) if not half or c[0] == 0]
    known = np.zeros((len(found), players), dtype=np.bool_)
    np.put_along_axis(known, np.array(found), True, axis=1)
    return known


def _dealt(players: int, size: int, count: int, draws: np.random.Generator) -> BoolArray:
    """Coalitions dealt from shuffled decks of all players, so that the players' counts differ by few."""
    known = np.zeros((count, players), dtype=np.bool_)
    seen: set[bytes] = set()
    deck: list[int] = []
    for row in known:
        for attempt in range(ATTEMPTS):
            hand, rest = _hand(deck if attempt < ATTEMPTS // 2 else [], players, size, draws)
            row[:] = False
            row[hand] = True
            if _key(row, size) not in seen:
                break
        deck = rest if 2 * size < players else []  # the rest of a halved deck is the same pair
        seen.add(_key(row, size))
    return known


def _hand(deck: list[int], players: int, size: int, draws: np.random.Generator) -> tuple[list[int], list[int]]:
    """The next `size` players of the deck and what is left; a new deck gives those that the old one lacks."""
    if len(deck) >= size:
        shuffled = [deck[i] for i in draws.permutation(len(deck))]
        return shuffled[:size], shuffled[size:]
    fresh = [int(p) for p in draws.permutation(players)]
    others = [p for p in fresh if p not in deck]
    need = size - len(deck)
    return deck + others[:need], [p for p in fresh if p not in others[:need]]


def _key(row: BoolArray, size: int) -> bytes:
    """The same for a coalition and its complement."""
    return (~row if 2 * size == len(row) and not row[0] else row).tobytes()
