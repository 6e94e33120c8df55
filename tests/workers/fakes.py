"""What the tests of workers share: orders for fake models, and a worker that lives in a thread."""

from __future__ import annotations

import itertools
import socket
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from explainer.records import BackgroundSpec, CardSpec, Feature, FloatArray, GoldenSpec, LoadOrder, Manifest, RemoteSpec
from explainer.workers import child
from explainer.workers.client import Worker
from tests.workers import fake_models

OPENER = "tests.workers.fake_models:open_fake"
COUNT = itertools.count()


def order_of(name: str = "good", path: Path = Path("/nowhere/model"), digest: str | None = None) -> LoadOrder:
    """An order for a fake model of two features that doubles the second one; `name` says how it opens."""
    features = (Feature("a", "number"), Feature("b", "category", ("red", "blue")))
    manifest = Manifest(
        name=name,
        version="1",
        format="fake",
        file="model",
        sha256="0" * 64,
        task="regression",
        classes=(),
        positive_class=None,
        output="raw",
        features=features,
        background=BackgroundSpec("background.csv", 2, "0" * 64, "two rows"),
        golden=GoldenSpec("golden.csv", "0" * 64, "fake", "1"),
        card=CardSpec("owner", "purpose", "rows", "CC0", "card.md"),
    )
    rows = np.array([[0.0, 1.0], [0.0, np.nan]])
    golden = rows[:1, 1:2] * 2
    return LoadOrder(manifest, digest or f"digest-{next(COUNT)}", path, rows, "background", rows[:1], golden)


def remote(order: LoadOrder) -> LoadOrder:
    """The same order for a model that is reached over the network."""
    return replace(order, manifest=replace(order.manifest, remote=RemoteSpec("http://localhost/", "model")))


def row(deed: int, value: float = 3.0) -> FloatArray:
    """One row that has a fake model do something; a good one answers twice the value."""
    return np.array([[float(deed), value]])


def thread_worker(kind: type[Worker] = Worker) -> Worker:
    """A worker that runs in a thread of this process, for what needs no process of its own."""
    ours, theirs = socket.socketpair()
    worker = kind(next(COUNT), ours, lambda _: ours.shutdown(socket.SHUT_RDWR))

    def live() -> None:
        with theirs:
            child.Worker(theirs, fake_models.open_fake, lambda order: ("a thread",)).serve()
        worker.end("its thread ended")

    threading.Thread(target=live, daemon=True).start()
    return worker
