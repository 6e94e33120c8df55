"""The version that an export explains: opened in a batch worker by its digest, or asked of the service's workers."""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from explainer.attribution.batch import Batch, of_explanations
from explainer.errors import ModelRefused
from explainer.exports.chunks import Chunk, Done
from explainer.exports.spec import Spec
from explainer.records import ExplainOptions, FloatArray, Manifest, ModelVersion
from explainer.registry.fetching import fetched
from explainer.registry.store import Registry
from explainer.settings import Settings
from explainer.usecases.exports_rows import Reader
from explainer.usecases.exports_step import Step
from explainer.usecases.rooms import Rooms
from explainer.workers.asking import Asking
from explainer.workers.preload import preload
from explainer.workers.sandbox import enclose

OPENER = "explainer.workers.opening:open_version"
ARRAYS = "explainer.attribution.arrays:explain_arrays"
THREADS = "threadpoolctl:threadpool_limits"
KEPT = 2  # versions and exports that a batch worker keeps ready
WATCH_S = 1.0

_ready: OrderedDict[str, Any] = OrderedDict()
_closed: list[str] = []  # what keeps this process closed in
_guard = threading.RLock()  # an engine is not for two threads, which Dask may have in one process


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a batch worker finds the version and what it must be; it travels instead of the model.

    `registry` is a folder that the worker sees, or the address of a web server that shows one.
    """

    registry: str
    trusted_keys: str | None
    digest: str
    parent: int | None = None  # the coordinator: workers that it started itself are closed in, and end with it
    place: tuple[str, str] = ("", "")  # name and version, by which a server is asked

    def here(self) -> Opening:
        """The same in a folder of this machine; what a server has is fetched once. Raises as `fetched` does."""
        if "://" not in self.registry:
            return self
        return replace(self, registry=str(fetched(self.registry, self.place, self.digest, cache_folder())))


@dataclass(frozen=True, slots=True)
class Errand:
    """What a batch worker is told with every chunk."""

    opening: Opening
    spec: Spec

    def __call__(self, chunk: Chunk) -> Done:
        """Explain a chunk here; the version is opened and prepared for the first chunk only."""
        with _guard:
            step: Step = _kept(repr(self), self._step)
            return step.run(chunk)

    def _step(self) -> Step:
        opening = _kept(f"here {self.opening!r}", self.opening.here)
        if opening.parent == os.getppid():
            end_with(opening.parent)
            close_in(opening)
        served = _kept(repr(opening), lambda: open_here(opening))
        model = LocalModel(served, self.spec.options)
        return Step(self.spec, model, Reader(model.manifest.features, self.spec))


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A version that is open in this very process."""

    served: Any
    options: ExplainOptions
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "manifest", self.served.manifest)

    def predict(self, rows: FloatArray) -> FloatArray:
        found: FloatArray = self.served.predict(rows)
        return found

    def explain(self, rows: FloatArray) -> Batch:
        engine = self.served.engines.against(self.options.background)
        found: Batch = _named(ARRAYS)(engine, rows, self.options, self.manifest)
        return found if self.served.familiar is None else found.told(self.served.familiar.marks(rows))


@dataclass(frozen=True, slots=True)
class PooledModel:
    """A version that the service's workers serve; the one place where exports ask them."""

    rooms: Rooms
    version: ModelVersion
    options: ExplainOptions
    principal: str

    @property
    def manifest(self) -> Manifest:
        return self.version.manifest

    def predict(self, rows: FloatArray) -> FloatArray:
        return self.rooms.workers.predict(self.version.digest, rows, self._asking())

    def explain(self, rows: FloatArray) -> Batch:
        return of_explanations(self.rooms.workers.explain(self.version.digest, rows, self.options, self._asking()))

    def _asking(self) -> Asking:
        """Behind everybody who waits."""
        return Asking(self.principal, bulk=True)


def open_here(opening: Opening) -> Any:
    """Check every file of the version and open it in this process; raises ModelRefused when it is not that one.

    Libraries compute with one thread from then on: workers are what there are more of, and threads beside them wait.
    """
    trusted = None if opening.trusted_keys is None else Path(opening.trusted_keys)
    registry = Registry(Settings(registry=Path(opening.registry), trusted_keys=trusted))
    version = of_digest(registry, opening.digest)
    served = _named(OPENER)(registry.order(version))
    _named(THREADS)(1)
    return served


def cache_folder() -> Path:
    """Where models from elsewhere are kept on this machine."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "explainer" / "models"


def of_digest(registry: Registry, digest: str) -> ModelVersion:
    """Raises ModelRefused when the registry has no such version."""
    for version in registry.versions():
        if version.digest == digest:
            return version
    raise ModelRefused(f"The registry here has no version with the digest {digest}; was it removed, or is it another?")


def close_in(opening: Opening) -> None:
    """Keep this worker, for good, from writing files, reading others than the registry, connections and processes.

    Everything that it shares with others of its kind is loaded first. A remote model keeps the network.
    """
    if _closed:
        return
    preload()
    registry = Path(opening.registry)
    remote = of_digest(Registry(Settings(registry=registry)), opening.digest).manifest.remote is not None
    readable = [registry, *([] if opening.trusted_keys is None else [Path(opening.trusted_keys)])]
    _closed.extend(enclose(readable, network=remote))


def end_with(parent: int) -> None:
    """End this process when its parent has ended: nobody waits for its answer then."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _kept(key: str, make: Callable[[], Any]) -> Any:
    if key not in _ready:
        _ready[key] = make()
    _ready.move_to_end(key)
    while len(_ready) > 3 * KEPT:
        _ready.popitem(last=False)
    return _ready[key]


def _named(reference: str) -> Any:
    """What `package.module:name` stands for; loaded here because it brings the libraries of models along."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)
