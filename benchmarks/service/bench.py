"""A folder with the demo models built and registered, and the servers that run on it, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.service import killing, measuring, strain
from benchmarks.service.cases import Case, body, sample_rows
from benchmarks.service.measuring import Extent, Question, Run
from benchmarks.service.servers import explainer_command, first_answer, free_port, gunicorn_command, running
from benchmarks.service.truth import enumerated

NAIVE = ("--workers", "2")
AS_OURS = ("--workers", "2", "--worker-class", "gthread", "--threads", "16", "--keep-alive", "30")
UNCACHED = {"EXPLAINER_CACHE_MEMORY_MB": "0", "EXPLAINER_CACHE_DISK_MB": "0"}


class Bench:
    """Every method starts one server, measures it alone, and ends it."""

    def __init__(self, folder: Path, extent: Extent) -> None:
        self.folder, self.extent, self.models = folder, extent, folder / "models"
        var = folder / "var"
        self.environment = {"EXPLAINER_VAR": str(var), "EXPLAINER_REGISTRY": str(var / "registry")}
        self._run("-m", "explainer.demo.build", str(self.models))
        self._run("-m", "explainer", "register", *(str(p) for p in sorted(self.models.iterdir())))
        self.headers = self.caller("benchmark")

    def caller(self, name: str) -> dict[str, str]:
        """The headers of a caller with a key of its own."""
        key = self._run("-m", "explainer", "keys", "add", name, "--role", "demo").strip()
        return {"Authorization": f"Bearer {key}"}

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

    def strained(self, cases: Sequence[Case], extent: strain.Extent) -> list[strain.Strain]:
        """Near saturation and beyond it, asked by several callers."""
        callers = [self.caller(f"caller-{number}") for number in range(strain.CALLERS)]
        found = []
        for case in cases:
            port = free_port()
            name = f"explainer, strained by {case.name}"
            with running(name, explainer_command(port), port, self.folder, self.environment, self.headers) as server:
                rows = sample_rows(self.models / case.model)
                first_answer(server, measuring.path_of(case), body(rows[0], case.settings))
                found.append(strain.strained(server, case, rows, callers, extent))
        return found

    def killed(self, cases: Sequence[Case], rounds: int) -> killing.Rounds:
        """Without a cache, so that every answer is computed while processes are killed."""
        port = free_port()
        environment = self.environment | UNCACHED
        with running(
            "explainer, killed", explainer_command(port), port, self.folder, environment, self.headers
        ) as server:
            asked = [(case, sample_rows(self.models / case.model)) for case in cases]
            for case, rows in asked:
                first_answer(server, measuring.path_of(case), body(rows[0], case.settings))
            return killing.killed(server, asked, rounds)
