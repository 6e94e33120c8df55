"""`python -m benchmarks.service [--quick]`: our service, a naive one and an echo, on the same models and rows."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import load
from benchmarks.service import measuring, report
from benchmarks.service.cases import CASES, body, sample_rows
from benchmarks.service.measuring import Extent, Question, Run
from benchmarks.service.servers import explainer_command, first_answer, free_port, gunicorn_command, running
from benchmarks.service.truth import enumerated

FULL = Extent(seconds=1.6, least=2, exact_rows=4, repeats=2, warm=8)
QUICK = Extent(seconds=0.3, least=1, exact_rows=1, repeats=1, warm=4, cases=tuple(c for c in CASES if c.quick))
NAIVE = ("--workers", "2")
AS_OURS = ("--workers", "1", "--worker-class", "gthread", "--threads", "16", "--keep-alive", "30")


class Bench:
    """A folder with the demo models built and registered, and the servers that run on it."""

    def __init__(self, folder: Path, extent: Extent) -> None:
        self.folder, self.extent, self.models = folder, extent, folder / "models"
        var = folder / "var"
        self.environment = {"EXPLAINER_VAR": str(var), "EXPLAINER_REGISTRY": str(var / "registry")}
        self._run("-m", "explainer.demo.build", str(self.models))
        self._run("-m", "explainer", "register", *(str(p) for p in sorted(self.models.iterdir())))
        key = self._run("-m", "explainer", "keys", "add", "benchmark", "--role", "demo").strip()
        self.headers = {"Authorization": f"Bearer {key}"}

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def questions(self) -> list[Question]:
        """Every case with exact values, from a server that is not measured."""
        port = free_port()
        with running("reference", explainer_command(port), port, self.folder, self.environment, self.headers) as server:
            found: list[Question] = []
            for case in self.extent.cases:
                rows = sample_rows(self.models / case.model)
                if not found:
                    first_answer(server, measuring.path_of(case), body(rows[0], {}))
                exact = enumerated(server, case, rows, self.extent.exact_rows) if case.additive else {}
                found.append(Question(case, rows, exact))
            return found

    def echo(self, name: str, settings: tuple[str, ...], question: Question) -> Run:
        port = free_port()
        with running(
            name, gunicorn_command("benchmarks.service.echo:app", port, *settings), port, self.folder
        ) as server:
            return measuring.echo(server, self.extent, question)

    def explainer(self, name: str, questions: list[Question], *, cached: bool, **settings: str) -> Run:
        port = free_port()
        environment = self.environment | settings
        with running(name, explainer_command(port), port, self.folder, environment, self.headers) as server:
            return measuring.explainer(server, self.extent, questions, cached=cached)

    def naive(self, questions: list[Question]) -> Run:
        port, environment = free_port(), {"NAIVE_MODELS": str(self.models)}
        command = gunicorn_command("benchmarks.service.naive:make()", port, *NAIVE)
        with running("naive service", command, port, self.folder, environment) as server:
            return measuring.naive(server, self.extent, questions)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute; figures that only show the direction")
    quick = parser.parse_args().quick
    began = time.monotonic()
    print(f"Load before: {load()}")
    with tempfile.TemporaryDirectory(prefix="explainer-bench-") as folder:
        bench = Bench(Path(folder), QUICK if quick else FULL)
        questions = bench.questions()
        floors = [
            bench.echo("Flask, gunicorn, 2 processes", NAIVE, questions[0]),
            bench.echo("Flask, gunicorn, 1 process, 16 threads", AS_OURS, questions[0]),
        ]
        ours = [bench.explainer("explainer", questions, cached=True)]
        if not quick:
            more = {"EXPLAINER_WORKERS_PER_MODEL": "2"}
            ours.append(bench.explainer("explainer, 2 workers", questions, cached=False, **more))
        rival = bench.naive(questions)
    runs = [*floors, *ours, rival]
    print()
    report.paces(runs)
    print()
    report.servers(runs)
    print()
    report.beside_echo(floors[0].lines[0], ours[0])
    print()
    report.beside_naive(ours, rival)
    print(f"\nThe client took at most {report.effort(runs):.0%} of one core; {time.monotonic() - began:.0f} s in all.")


if __name__ == "__main__":
    main()
