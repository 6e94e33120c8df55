"""Which forests are too large or too deep to be prepared, in a sentence."""

from __future__ import annotations

import numpy as np

from explainer.attribution.model import IntArray, Trees
from explainer.attribution.trees.deep import BITSET_BYTES, MOST_PLAYERS
from explainer.attribution.trees.forest import lay_out

MOST_NODES = 4_000_000  # about 1 GB while tables are made


def too_large(trees: Trees, owner: IntArray, background_rows: int) -> str:
    """Why these trees cannot be prepared against that many background rows; empty when they can."""
    nodes = len(trees.left)
    if nodes > MOST_NODES:
        return f"The model has {nodes:,} tree nodes, more than the {MOST_NODES:,} that are prepared."
    needed = nodes * -(-background_rows // 64) * 8
    if needed > BITSET_BYTES:
        return (
            f"{nodes:,} tree nodes against {background_rows:,} background rows may need {needed >> 20:,} MB, more than "
            f"the {BITSET_BYTES >> 20:,} MB that are allowed; a smaller background would do."
        )
    if len(np.unique(owner)) <= MOST_PLAYERS:
        return ""
    deepest = int(lay_out(trees, owner).players.max(initial=0))
    if deepest > MOST_PLAYERS:
        return f"One path asks {deepest} different features, more than the {MOST_PLAYERS} that are prepared."
    return ""
