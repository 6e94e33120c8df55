"""One file per method; whatever file here ends with `METHOD = ...` is found by scanning this folder."""

from __future__ import annotations

import importlib
import pkgutil

from explainer.attribution.ports import Method


def found() -> tuple[Method, ...]:
    """Every method of this folder in the order of the ladder; raises ValueError when two share a name."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    methods: list[Method] = [module.METHOD for module in modules if hasattr(module, "METHOD")]
    names = [method.name for method in methods]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Two methods are named {twice[0]!r}; rename one.")
    return tuple(sorted(methods, key=lambda method: (method.rung, method.name)))
