"""The room's door: versions are opened here, asked here, and closed here; models run in processes of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from explainer.errors import NotReady
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, OpenReport
from explainer.settings import Settings
from explainer.workers.asking import Asking
from explainer.workers.forking import Forker
from explainer.workers.meters import UNMEASURED, PoolMeters
from explainer.workers.trial import Trial, tried
from explainer.workers.version import ANYBODY, PoolState, VersionPool

OPENER = "explainer.workers.opening:open_version"


class WorkerPools:
    """The workers of all served versions; safe for any number of threads.

    `opener` names the function `package.module:name` that makes an order ready inside a worker.
    """

    def __init__(
        self, settings: Settings, *, opener: str | None = None, sandbox: bool = True, meters: PoolMeters = UNMEASURED
    ) -> None:
        self._settings = settings
        self._meters = meters
        self._forker = Forker(
            opener or OPENER,
            memory_mb=settings.worker_memory_mb,
            cpu_s=max(settings.open_timeout_s, settings.worker_timeout_s) * len(os.sched_getaffinity(0)),
            sandbox=sandbox,
        )
        self._versions: dict[str, VersionPool] = {}
        self._guard = threading.Lock()

    def start(self) -> None:
        """Begin to start the nursery; returns at once."""
        self._forker.start()

    def open(self, order: LoadOrder, again: Callable[[], LoadOrder] | None = None) -> OpenReport:
        """Serve a version; returns when its first worker is ready. A version that is served already stays as it is.

        `again` gives the order anew for each later worker: whoever keeps the files checks them there, and a refusal
        takes the version out of service.

        Raises ModelRefused or ModelFailed with every problem, and then the version is not served.
        """
        with self._guard:
            served = self._versions.get(order.digest)
        if served is not None:
            return served.report
        version = VersionPool(order, self._settings, self._forker.fork, again, self._meters)
        report = version.open()
        with self._guard:
            first = self._versions.setdefault(order.digest, version)
        if first is not version:
            version.close()
        return report

    def trial(self, order: LoadOrder, rows: FloatArray) -> Trial:
        """Open a version in a worker that is thrown away, and have it predict and explain `rows` by each family.

        Raises ModelRefused with every problem.
        """
        return tried(self._forker.fork, order, rows, self._settings)

    def predict(self, digest: str, rows: FloatArray, asking: Asking = ANYBODY) -> FloatArray:
        """Return finite predictions of shape (rows, outputs).

        Raises ModelFailed when the model raises or answers nonsense, WorkerDied, WorkerTimedOut, Overloaded or
        TooManyRequests when no worker would become free in time, NotReady when the version is not in service.
        """
        return self.version(digest).predict(rows, asking)

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        """Return for each row the explanations of the classes that `options` asks for; raises as `predict` does."""
        return self.version(digest).explain(rows, options, asking)

    def interact(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Interactions, ...]]:
        """Return for each row the interactions of the classes that `options` asks for; raises as `predict` does."""
        return self.version(digest).interact(rows, options, asking)

    def report(self, digest: str) -> OpenReport:
        """What the workers found when they opened the version; NotReady when it is not served."""
        return self.version(digest).report

    def state(self) -> dict[str, PoolState]:
        """How every served version is doing, by digest."""
        with self._guard:
            versions = dict(self._versions)
        return {digest: version.state() for digest, version in versions.items()}

    def processes(self) -> list[int]:
        """Process numbers of the nursery and its spare."""
        return self._forker.pids()

    def close(self, digest: str) -> None:
        """Stop serving a version: calls that are running are answered, later ones get NotReady."""
        with self._guard:
            version = self._versions.pop(digest, None)
        if version is not None:
            version.close()

    def shutdown(self) -> None:
        """End every process; calls that are running fail with WorkerDied."""
        with self._guard:
            versions, self._versions = list(self._versions.values()), {}
        for version in versions:
            version.close()
        self._forker.stop()

    def version(self, digest: str) -> VersionPool:
        """The pool of one version; NotReady when it is not served."""
        with self._guard:
            version = self._versions.get(digest)
        if version is None:
            raise NotReady("This version is not being served.")
        return version
