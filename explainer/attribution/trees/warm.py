"""Compile every kernel into numba's cache before any request: `python -m explainer.attribution.trees.warm`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

import explainer.attribution.trees as here


def warm() -> list[str]:
    """Import every module of this package, which compiles what the cache does not hold; gives their names."""
    names = [f"{here.__name__}.{info.name}" for info in pkgutil.iter_modules(here.__path__) if info.name != "warm"]
    for name in names:
        importlib.import_module(name)
    return names


if __name__ == "__main__":
    began = time.perf_counter()
    sys.stdout.write(f"{len(warm())} modules of kernels are ready after {time.perf_counter() - began:.1f} s.\n")
