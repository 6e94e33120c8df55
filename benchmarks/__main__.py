"""`python -m benchmarks [names]`: runs the benchmarks in turn, prints, and keeps what was printed in `results/`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import description

HERE = Path(__file__).parent
RESULTS = HERE / "results"
# Attribution is compared on one thread; a service runs with whatever its own settings are.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def found() -> dict[str, str]:
    """Name and module of every benchmark: files of `attribution/` that can be run, and packages that can."""
    files = [p for p in sorted(HERE.glob("attribution/*.py")) if '__name__ == "__main__"' in p.read_text("utf-8")]
    packages = sorted(HERE.glob("*/__main__.py"))
    return {p.stem: f"benchmarks.attribution.{p.stem}" for p in files} | {
        p.parent.name: f"benchmarks.{p.parent.name}" for p in packages
    }


def run(name: str, module: str) -> int:
    """Run one benchmark in a process of its own; its output goes to the screen and, if all went well, to a file."""
    lines = [f"python -m {module}\n{description()}\n\n"]
    sys.stdout.write(f"\n== {name} ==\n{lines[0]}")
    environment = os.environ | (ONE_THREAD if module.startswith("benchmarks.attribution.") else {})
    with subprocess.Popen(
        [sys.executable, "-u", "-m", module], env=environment, cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    if process.returncode == 0:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    else:
        sys.stdout.write(f"{name} ended with status {process.returncode}; nothing was kept.\n")
    return process.returncode


def main() -> int:
    benchmarks = found()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks one after the other.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(benchmarks)} (default: all)")
    names = parser.parse_args().names or list(benchmarks)
    if unknown := sorted(set(names) - set(benchmarks)):
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(benchmarks)}")
    return max(abs(run(name, benchmarks[name])) for name in names)


if __name__ == "__main__":
    raise SystemExit(main())
