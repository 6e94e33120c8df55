"""Which versions have workers: opens the current ones ahead of requests, others when they are first asked for."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Protocol

from explainer.errors import ExplainerError, ModelFailed, ModelRefused, NotReady
from explainer.records import ModelVersion, OpenReport
from explainer.registry.store import Registry
from explainer.workers.pool import WorkerPools
from explainer.workers.version import PoolState

log = logging.getLogger(__name__)


class Served(Protocol):
    """What use cases want to know of the versions that have workers."""

    def opened(self, version: ModelVersion) -> OpenReport:
        """Return the workers' report, opening the version first if need be; NotReady with the reason if it failed."""
        ...

    def unready(self) -> list[str]:
        """Why the service cannot answer for any current version; empty when it can for some, or has none yet."""
        ...

    def out_of_service(self) -> dict[str, str]:
        """Current versions that do not answer, by name, each with its reason; the others are served all the same."""
        ...

    def pools(self) -> dict[str, PoolState]:
        """How every version that has workers is served, by digest."""
        ...


class Serving:
    """Keeps the worker pools in step with the registry; one for all pools of a process."""

    def __init__(self, registry: Registry, pools: WorkerPools, *, every_s: float = 1.0) -> None:
        self._registry = registry
        self._pools = pools
        self._every_s = every_s
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._failed: dict[str, str] = {}
        self._stop = threading.Event()
        self._first_round = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._keep, name="serving", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def opened(self, version: ModelVersion) -> OpenReport:
        """Return the workers' report, opening the version first if need be.

        Raises NotReady with the reason when the version failed to open.
        """
        with contextlib.suppress(NotReady):
            return self._pools.report(version.digest)
        with self._lock_of(version.digest):
            if version.digest in self._pools.state():
                return self._pools.report(version.digest)
            if reason := self._failed.get(version.digest):
                raise NotReady(f"{_title(version)} is out of service: {_plain(version, reason)}")
            return self._open(version)

    def unready(self) -> list[str]:
        """Why the service cannot answer for any current version; empty when it can for some, or has none yet."""
        if not self._first_round.is_set():
            return ["models are still being opened"]
        broken = self.out_of_service()
        return list(broken.values()) if broken and len(broken) == len(self._registry.names()) else []

    def out_of_service(self) -> dict[str, str]:
        """Current versions that do not answer, by name, each with its reason; the others are served all the same."""
        states, found = self._pools.state(), {}
        for name in self._registry.names():
            with contextlib.suppress(ExplainerError):
                version = self._registry.get(name)
                state = states.get(version.digest)
                reason = self._failed.get(version.digest) or (state.out_of_service if state else None)
                if reason:
                    found[name] = f"{_title(version)}: {_plain(version, reason)}"
        return found

    def pools(self) -> dict[str, PoolState]:
        """How every version that has workers is served, by digest."""
        return self._pools.state()

    def _open(self, version: ModelVersion) -> OpenReport:
        try:
            order = self._registry.order
            return self._pools.open(order(version), lambda: order(version))
        except (ModelRefused, ModelFailed) as error:
            self._failed[version.digest] = error.detail
            raise NotReady(
                f"{_title(version)} is out of service: {_plain(version, error.detail)}", problems=error.problems
            ) from error

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._round()
            self._first_round.set()
            self._stop.wait(self._every_s)

    def _round(self) -> None:
        registry, pools = self._registry, self._pools
        versions = {v.digest: v for v in registry.versions() if v.retired_at is None}
        for digest in set(pools.state()) - set(versions):
            pools.close(digest)
        for digest in set(self._failed) - set(versions):
            del self._failed[digest]
        for name in registry.names():
            try:
                current = registry.get(name)
                if current.digest not in pools.state() and current.digest not in self._failed:
                    self.opened(current)
            except ExplainerError as error:
                log.error("model %s is not served: %s", name, error.detail)

    def _lock_of(self, digest: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(digest, threading.Lock())


def _plain(version: ModelVersion, reason: str) -> str:
    """A reason that begins with the version's title is given without it: it stands there already."""
    return reason.removeprefix(f"{_title(version)}: ")


def _title(version: ModelVersion) -> str:
    return f"{version.manifest.name} version {version.manifest.version}"
