"""`python -m explainer.demo.build DEST`: builds the demonstration models, one finished folder a line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what was asked for, in order; the name of each folder is printed once it is complete."""
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, "1"))  # read when numpy is imported, so before the imports below
    from explainer.demo.folder import build_folder
    from explainer.demo.recipes import all_recipes

    recipes = all_recipes()
    names = [recipe.name for recipe in recipes]
    asked = _parser(names).parse_args(arguments)
    for recipe in recipes:
        if asked.only and recipe.name not in asked.only:
            continue
        if not (asked.missing and (asked.destination / recipe.name).is_dir()):
            build_folder(recipe, asked.destination)
        sys.stdout.write(f"{recipe.name}\n")
        sys.stdout.flush()
    return 0


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m explainer.demo.build", description="Train the demonstration models and write their folders."
    )
    parser.add_argument("destination", type=Path, metavar="DEST", help="folder in which a folder for each model is put")
    parser.add_argument("--only", action="append", choices=names, help="build this model alone; may be given again")
    parser.add_argument("--missing", action="store_true", help="leave alone what is there already")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
