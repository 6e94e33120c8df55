from __future__ import annotations

import sys

from explainer.attribution.trees.warm import warm


def test_warming_imports_every_kernel_module() -> None:
    """All modules with kernels are loaded, which compiles what the cache does not hold."""
    names = warm()
    assert "explainer.attribution.trees.walk" in names
    assert all(name in sys.modules for name in names)
