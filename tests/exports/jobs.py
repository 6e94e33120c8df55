"""Exports that tests submit and compute in a folder of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explainer.exports.chunks import Chunk, Done
from explainer.exports.folder import Folder
from explainer.exports.holders import this_process
from explainer.exports.jobs import Job, Progress
from explainer.exports.layout import empty_batch
from explainer.exports.runners import Runner
from explainer.exports.runners.serial import Serial
from explainer.exports.running import Plan, compute
from explainer.exports.signing import signer
from explainer.exports.spec import Source, Spec
from explainer.exports.store import ExportStore, new_id
from explainer.exports.summary import bins_of
from explainer.usecases.exports_rows import Reader
from explainer.usecases.exports_step import Step, no_rows
from tests.exports.models import FEATURES, Additive

FILES = ("rejects.csv", "summary.json", "report.html")
BACKGROUND = np.array([[10.0, 12.0, 0.0], [20_000.0, 60.0, 1.0], [44_000.0, 100.0, 3.0]])


def spec_of(source: Path, **changes: Any) -> Spec:
    spec = Spec(
        model="credit",
        version="1.0",
        digest="d" * 64,
        background="b" * 64,
        source=Source((str(source),)),
        output="jsonl",
        carry=("id",),
        chunk_rows=250,
        bins=bins_of(BACKGROUND, [0, 0, 4]),
    )
    return replace(spec, **changes)


def job_of(spec: Spec, principal: str = "key_a", **changes: Any) -> Job:
    job = Job(new_id(), principal, "demo", "queued", 0, time.time(), spec, Progress(total=1000))
    return replace(job, **changes)


@dataclass
class Bench:
    """A store, a folder and a model; `compute` claims the only export and computes it."""

    path: Path
    spec: Spec
    model: Additive

    def __post_init__(self) -> None:
        self.store = ExportStore(self.path / "exports.db")
        self.folder = Folder(self.path / "out")
        self.seen: list[int] = []
        self.store.submit(job_of(self.spec))

    @property
    def job(self) -> Job:
        return self.store.latest()[0]

    def step(self, chunk: Chunk) -> Done:
        self.seen.append(chunk.number)
        return Step(self.spec, self.model, Reader(FEATURES, self.spec)).run(chunk)

    def compute(self, runner: Runner | None = None, task: Callable[[Chunk], Done] | None = None, **plan: Any) -> Job:
        job = self.store.claim(this_process())
        assert job is not None
        empty = no_rows(self.spec, self.model.manifest, empty_batch(3, "probability"))
        names = tuple(feature.name for feature in FEATURES)
        whole = Plan(task or self.step, empty, names, {"explainer": "test"}, signer(self.path), **plan)
        return compute(self.store, job, self.folder, runner or Serial(), whole)

    def bytes(self) -> dict[str, bytes]:
        """Every file that has to be the same however the export went."""
        names = (f"explanations.{self.spec.output}", *FILES)
        return {name: (self.folder.path / name).read_bytes() for name in names}


def bench(path: Path, source: Path, **changes: Any) -> Bench:
    path.mkdir(exist_ok=True)
    return Bench(path, spec_of(source, **changes), Additive())
