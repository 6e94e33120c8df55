from __future__ import annotations

import math

from explainer.attribution.trees.leaves import in_cache_lines, shapley_weights


def test_weights_are_shapleys() -> None:
    """(p-1)! q!/(p+q)! exactly for few players, and to rounding for many."""
    w = shapley_weights(62)
    for p, q in [(1, 0), (2, 3), (10, 10), (20, 30), (62, 0)]:
        exact = math.factorial(p - 1) * math.factorial(q) / math.factorial(p + q)
        assert math.isclose(w[p, q], exact, rel_tol=1e-12)
    assert w[0].tolist() == [0.0] * 63


def test_tables_start_with_a_cache_line() -> None:
    """An entry of eight numbers lies in one line of 64 bytes."""
    table = in_cache_lines(5, 8)
    assert table.ctypes.data % 64 == 0
    assert table.shape == (5, 8)
    assert table.flags["C_CONTIGUOUS"]
    assert not table.any()
