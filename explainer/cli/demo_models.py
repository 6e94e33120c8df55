"""Registers the demo's models in a process of its own, and trains those whose folder is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from explainer.cli.rooms import Desk, desk
from explainer.demo.recipes import all_recipes
from explainer.errors import ExplainerError
from explainer.usecases.register import register


def main(folder: Path) -> int:
    """Register each of the demo's models that is not yet registered, as soon as its folder is complete."""
    with desk() as at:
        present = {v.manifest.name for v in at.rooms.registry.versions()}
    if not {recipe.name for recipe in all_recipes()} - present:
        return 0
    command = [sys.executable, "-m", "explainer.demo.build", str(folder), "--missing"]
    with desk(workers=True) as at, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as build:  # noqa: S603
        for line in build.stdout or ():
            if (name := line.strip()) not in present:
                _register(at, folder / name)
    return build.returncode


def _register(at: Desk, path: Path) -> None:
    try:
        version = register(at.rooms, at.caller(), path)
    except ExplainerError as error:
        print(f"  {path.name} was not registered: {error.detail}", file=sys.stderr, flush=True)
        return
    print(f"  {path.name} is registered, digest {version.digest[:12]}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
