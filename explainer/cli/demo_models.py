"""Registers the demo's models, trains those whose folder is missing, and brings decisions in for review."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from explainer.cli.demo_decisions import bring_decisions
from explainer.cli.rooms import Desk, desk
from explainer.errors import ExplainerError
from explainer.reviews.wanted import Wanted
from explainer.usecases.register import register


def main(folder: Path) -> int:
    """Register each of the demo's models that is not yet registered, as soon as its folder is complete."""
    with desk() as at:
        present = {v.manifest.name for v in at.rooms.registry.versions()}
    command = [sys.executable, "-m", "explainer.demo.build", str(folder), "--missing"]
    trying: Desk | None = None  # started only when there is something to try: it takes seconds of both processors
    refused = 0
    with ExitStack() as stack, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as build:  # noqa: S603
        for line in build.stdout or ():
            if (name := line.strip()) not in present:
                trying = trying or stack.enter_context(desk(workers=True))
                refused += not _registered(trying, folder / name)
    with desk() as at:
        reviewed = at.rooms.reviews.count(Wanted(show="all"))
    if not reviewed and not build.returncode:
        with desk(workers=True) as at:
            print(f"  {bring_decisions(at, folder)} made-up applications wait for review", flush=True)
    return build.returncode or int(refused > 0)


def _registered(at: Desk, path: Path) -> bool:
    try:
        version = register(at.rooms, at.caller(), path)
    except ExplainerError as error:
        print(f"  {path.name} was not registered: {error.detail}", file=sys.stderr, flush=True)
        return False
    print(f"  {path.name} is registered, digest {version.digest[:12]}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
