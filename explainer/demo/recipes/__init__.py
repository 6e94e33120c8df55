"""One file per demonstration model, each ending with RECIPE; found by scanning this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from explainer.demo.recipe import Recipe


def all_recipes() -> list[Recipe]:
    """Every recipe, in the order in which they are built."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return sorted((module.RECIPE for module in modules), key=lambda recipe: recipe.order)
