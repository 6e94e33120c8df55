"""Builds the demo's model folders in a process of their own and registers each as soon as it is complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from explainer.cli.rooms import Desk, desk
from explainer.errors import ExplainerError
from explainer.usecases.register import register


def main(folder: Path) -> int:
    """Register what is in `folder` and not yet registered; train it first where it is missing."""
    with desk(workers=True) as at:
        present = {v.manifest.name for v in at.rooms.registry.versions()}
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "explainer.demo.build", str(folder), "--missing"], stdout=subprocess.PIPE, text=True
        ) as build:
            assert build.stdout is not None
            for line in build.stdout:
                path = folder / line.split()[0]
                if path.is_dir() and path.name not in present:
                    _register(at, path)
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
