"""`python -m benchmarks.batch [--rows N] [--kills N] [--only NAME]`: speed, memory, engines, kills."""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.batch.measuring import Measured, measured
from explainer.demo.build import main as build
from explainer.registry.rows import uncode_rows
from explainer.registry.store import Registry
from explainer.settings import Settings

FILES = ("rejects.csv", "summary.json", "report.html")
MODEL = "credit-gbm"
FAMILIES = {"coordinator": "", "worker": "popen_loky", "engine": "spawn_main"}  # what the command line of one says


class Bench:
    """A registry with the demo's models, and rows mixed from a background."""

    def __init__(self, folder: Path, models: Path | None) -> None:
        self.folder = folder
        self.models = models or folder / "models"
        if models is None:
            build([str(self.models)])
        self.environment = os.environ | {
            "EXPLAINER_VAR": str(folder / "var"), "EXPLAINER_REGISTRY": str(folder / "registry"),
        }  # fmt: skip
        for name in ("credit-gbm", "credit-mlp"):
            self.explainer("register", str(self.models / name))

    def explainer(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "explainer", *words], env=self.environment, check=True, capture_output=True
        )

    def rows(self, name: str, count: int) -> Path:
        """A CSV of random mixtures of background rows, with a number in front."""
        path = self.folder / f"{name}-{count}.csv"
        registry = Registry(Settings(registry=self.folder / "registry"))
        version = registry.get(name)
        background, random_ = registry.background(version), np.random.default_rng(1)
        features = version.manifest.features
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["customer_id", *(f.name for f in features)])
            for first in range(0, count, 10_000):
                size = min(10_000, count - first)
                mixed = np.stack([random_.choice(background[:, i], size) for i in range(len(features))], axis=1)
                writer.writerows([first + i, *row.values()] for i, row in enumerate(uncode_rows(features, mixed)))
        return path

    def export(self, name: str, source: Path, output: str, *words: str) -> Measured:
        command = [sys.executable, "-m", "explainer", "export", name, "--input", str(source), "--carry", "customer_id",
                   "--output", str(self.folder / output), *words]  # fmt: skip
        return measured(command, self.environment, self.folder / "log.txt")


def speed(at: Bench, rows: int) -> Iterator[str]:
    """Rows per second beside shap in joblib, by processor seconds: what else the machine does counts little."""
    large = at.rows(MODEL, rows)
    for form in ("parquet", "csv", "jsonl"):
        whole = at.export(
            MODEL, large, f"speed-{form}", "--space", "log_odds", "--format", form, "--runner", "joblib:2"
        )
        yield told(f"explainer export, {form}, {rows:,} rows", whole, rows)
        if form == "parquet":
            ours = whole
    quarter = at.export(MODEL, at.rows(MODEL, rows // 4), "quarter", "--space", "log_odds", "--format", "parquet",
                        "--runner", "joblib:2")  # fmt: skip
    yield told(f"explainer export, parquet, {rows // 4:,} rows", quarter, rows // 4)
    yield f"    without the start: {(rows - rows // 4) / (ours.cpu_s - quarter.cpu_s):,.0f} rows a processor second"
    sizes = (min(rows, 20_000), min(rows, 5_000))
    theirs = [
        measured([sys.executable, "-m", "benchmarks.batch.naive", str(at.models / MODEL), str(large),
                  str(at.folder / "naive.parquet"), str(size)], at.environment, at.folder / "log.txt")
        for size in sizes
    ]  # fmt: skip
    for size, one in zip(sizes, theirs, strict=True):
        yield told(f"shap.TreeExplainer in joblib chunks, {size:,} rows", one, size)
    slow = (sizes[0] - sizes[1]) / (theirs[0].cpu_s - theirs[1].cpu_s)
    fast = (rows - rows // 4) / (ours.cpu_s - quarter.cpu_s)
    yield f"    without the start: {slow:,.0f} rows a processor second; explainer gives {fast / slow:.1f} times as many"


def engines(at: Bench, rows: int) -> Iterator[str]:
    """One worker against two of each engine, on sampled explanations of the network."""
    source = at.rows("credit-mlp", rows)
    for engine in ("joblib", "dask", "ray"):
        walls = []
        for workers in (1, 2):
            words = ("--runner", f"{engine}:{workers}", "--chunk-rows", "20", "--format", "csv")
            whole = at.export("credit-mlp", source, f"{engine}-{workers}", *words)
            few = at.export("credit-mlp", at.rows("credit-mlp", 20 * workers), f"{engine}-{workers}-few", *words)
            walls.append(whole.wall_s - few.wall_s)
            yield told(f"{engine}:{workers}, credit-mlp, {rows:,} rows", whole, rows)
        yield f"    two workers against one, without the start: {walls[0] / walls[1]:.2f} times"


def kills(at: Bench, rounds: int) -> Iterator[str]:
    """Killed with -9 at a random instant, the coordinator, a worker or a worker of Dask: the bytes of one run."""
    source = at.rows(MODEL, 4000)
    settings = ("--space", "log_odds", "--format", "csv", "--chunk-rows", "200", "--runner")
    at.export(MODEL, source, "whole", *settings, "joblib:2")
    due, different, killed = contents(at.folder / "whole"), 0, dict.fromkeys(FAMILIES, 0)
    for number in range(rounds):
        output = at.folder / f"killed-{number}"
        draw = random.Random(number)
        who = draw.choice(list(FAMILIES))
        runner = "dask:2" if who == "engine" else "joblib:2"
        command = [sys.executable, "-m", "explainer", "export", MODEL, "--input", str(source), "--carry", "customer_id",
                   "--output", str(output), *settings, runner]  # fmt: skip
        with subprocess.Popen(command, env=at.environment, stderr=subprocess.DEVNULL) as process:
            wait_for(output, draw.randrange(0, 20), process)
            time.sleep(draw.uniform(0, 0.05))
            killed[who] += hit(process, who)
            if who != "coordinator":
                process.wait()
        at.export(MODEL, source, output.name, *settings, "joblib:2")
        different += contents(output) != due
    yield f"{rounds} rounds, killed: {killed}; output that differs from an undisturbed run: {different}"


def hit(process: subprocess.Popen[bytes], who: str) -> int:
    """Kill it, or one of its workers; 1 where there was something to kill."""
    if process.poll() is not None:
        return 0
    if who == "coordinator":
        process.kill()
        return 1
    for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
        for child in task.read_text().split():
            if FAMILIES[who] in Path(f"/proc/{child}/cmdline").read_text():
                os.kill(int(child), signal.SIGKILL)
                return 1
    return 0


def wait_for(folder: Path, parts: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many parts are there, or it has ended."""
    while process.poll() is None and len(list((folder / ".parts").glob("*.rows"))) < parts:
        if (folder / "manifest.json").exists():
            return
        time.sleep(0.005)


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("explanations.csv", *FILES)]


def told(what: str, of: Measured, rows: int) -> str:
    return (
        f"{what:52} {of.wall_s:8.1f} s, {of.cpu_s:8.1f} processor seconds, {rows / of.wall_s:10,.0f} rows/s, "
        f"{of.peak_mb:6,.0f} MB at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sampled", type=int, default=400, help="rows of the sampled model")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--models", type=Path, help="folder of the demo's models; default: they are built")
    parser.add_argument("--only", choices=["speed", "engines", "kills"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        at = Bench(Path(folder), given.models)
        parts = {"speed": (speed, given.rows), "engines": (engines, given.sampled), "kills": (kills, given.kills)}
        for name, (part, size) in parts.items():
            if given.only in (None, name):
                for line in part(at, size):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
