"""A furnished house for tests: every room is the real one but the workers, which answer from a small additive model."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from explainer.access.admit import Access, Choices
from explainer.access.budgets import Budgets
from explainer.access.passwords import Passwords
from explainer.access.sessions import Origin
from explainer.app import create_app
from explainer.attribution.reference import rows_of
from explainer.cache.memory import MemoryTier
from explainer.cache.tiers import Cache
from explainer.disclosure.policies import Policies
from explainer.durable import DurableFile
from explainer.errors import NotReady
from explainer.ledger.layout import open_file
from explainer.ledger.sqlite import Ledger, Recorded
from explainer.monitoring.extraction_store import ExtractionStore
from explainer.receipts.store import ReceiptStore
from explainer.records import (
    BackgroundRows,
    ExplainOptions,
    Explanation,
    Feature,
    FloatArray,
    Interactions,
    LimeReport,
    LoadOrder,
    Manifest,
    MethodReport,
    ModelVersion,
    OpenReport,
    Principal,
)
from explainer.registry.store import Registry
from explainer.reviews.store import ReviewStore
from explainer.settings import SESSION_COOKIE, Settings
from explainer.usecases.extraction_hearing import Listener
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Serving
from explainer.workers.asking import Asking
from explainer.workers.trial import Trial
from explainer.workers.version import ANYBODY, PoolState
from tests.registry.folders import FEATURES, write_folder

PASSWORD = "correct horse battery"
METHODS = {"exact": 1, "lime": 1}
ISOLATION = ("no new privileges", "files closed off by a fake", "system calls filtered by a fake")


class FakeWorkers:
    """The public face of WorkerPools. `failing` is raised instead of an answer; `asked` lists what was asked."""

    def __init__(self) -> None:
        self.orders: dict[str, LoadOrder] = {}
        self.asked: list[str] = []
        self.failing: BaseException | None = None
        self.open_failing: BaseException | None = None
        self.isolation: tuple[str, ...] = ISOLATION
        self.shift = 0.0  # added to the first attribution: a model that does not answer the same again
        self.started = self.stopped = False
        self._guard = threading.Lock()

    def start(self) -> None:
        self.started = True

    def open(self, order: LoadOrder, again: object = None) -> OpenReport:
        self._note("open")
        if self.open_failing is not None:
            raise self.open_failing
        with self._guard:
            self.orders[order.digest] = order
        return _report(order.manifest)

    def trial(self, order: LoadOrder, rows: FloatArray) -> Trial:
        self._note("trial")
        if self.open_failing is not None:
            raise self.open_failing
        return Trial(_report(order.manifest), self.isolation)

    def predict(self, digest: str, rows: FloatArray, asking: Asking = ANYBODY) -> FloatArray:
        order = self._asked("predict", digest)
        return np.array([_outputs(order.manifest, _total(order, row)) for row in rows])

    def explain(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Explanation, ...]]:
        order = self._asked(f"explain {options.method} {len(rows)}", digest)
        classes = _classes(order.manifest, options.class_name)
        return [tuple(self._explained(order, row, options, name) for name in classes) for row in rows]

    def interact(
        self, digest: str, rows: FloatArray, options: ExplainOptions, asking: Asking = ANYBODY
    ) -> list[tuple[Interactions, ...]]:
        """The first two features interact by 0.02; everything else is a main effect."""
        order = self._asked(f"interact {options.method} {len(rows)}", digest)
        classes = _classes(order.manifest, options.class_name)
        found = [[self._explained(order, row, options, name) for name in classes] for row in rows]
        return [tuple(_paired(e) for e in row) for row in found]

    def report(self, digest: str) -> OpenReport:
        return _report(self._order(digest).manifest)

    def state(self) -> dict[str, PoolState]:
        with self._guard:
            return {digest: PoolState(1, 1, 0, 0, None, None, self.isolation) for digest in self.orders}

    def processes(self) -> list[int]:
        return []

    def close(self, digest: str) -> None:
        with self._guard:
            self.orders.pop(digest, None)

    def shutdown(self) -> None:
        self.stopped = True

    def _note(self, what: str) -> None:
        with self._guard:
            self.asked.append(what)

    def _order(self, digest: str) -> LoadOrder:
        with self._guard:
            if digest not in self.orders:
                raise NotReady("This version is not being served.")
            return self.orders[digest]

    def _asked(self, what: str, digest: str) -> LoadOrder:
        self._note(what)
        if self.failing is not None:
            raise self.failing
        return self._order(digest)

    def _explained(
        self, order: LoadOrder, row: FloatArray, options: ExplainOptions, class_name: str | None
    ) -> Explanation:
        manifest = order.manifest
        sign = _sign(manifest, class_name)
        given = options.background
        rows = rows_of(given) if isinstance(given, BackgroundRows) else order.background
        middle = np.mean([_parts(z) for z in rows], axis=0)
        pushes = [float(sign * p) for p in _parts(row) - middle]
        pushes[0] += self.shift
        prediction = float(_outputs(manifest, _total(order, row))[_position(manifest, class_name)])
        names = [f.name for f in manifest.features]
        lime = options.method == "lime"
        return Explanation(
            prediction=prediction,
            expected_value=prediction - sum(pushes),
            class_name=class_name,
            output=options.output or manifest.output,
            attributions=tuple(pushes),
            standard_errors=tuple(0.01 if lime else 0.0 for _ in names),
            method=MethodReport(
                name="lime" if lime else "exact",
                version=1,
                reason="it was asked for" if lime else "the model is small",
                exact=not lime,
                evaluations=16,
                seed=options.seed,
                background=f"rows:{given.digest[:12]}" if isinstance(given, BackgroundRows) else "default",
                additivity_gap=None if lime else 0.0,
            ),
            lime=LimeReport(0.5, 0.75, 100, 1.0, tuple((f"{n} <= 1.00", p) for n, p in zip(names, pushes, strict=True)))
            if lime
            else None,
        )


def _paired(e: Explanation) -> Interactions:
    values = np.diag(e.attributions)
    values[:2, :2] += 0.01 * np.array([[-1, 1], [1, -1]])
    errors = np.full(values.shape, 0.001)
    return Interactions(e.prediction, e.expected_value, e.class_name, e.output, values, errors, e.method)


def _parts(row: FloatArray) -> FloatArray:
    """What each feature adds: bounded, monotone, 0 where the value is missing."""
    known = np.nan_to_num(row)
    return np.asarray(0.4 / len(row) * known / (1 + np.abs(known)), dtype=np.float64)


def _total(order: LoadOrder, row: FloatArray) -> float:
    return float(_parts(row).sum())


def _outputs(manifest: Manifest, total: float) -> FloatArray:
    if manifest.task == "regression":
        return np.array([100.0 + total])
    shares = np.full(len(manifest.classes), 1 / len(manifest.classes))
    shares[0] += total
    shares[1] -= total
    return shares


def _sign(manifest: Manifest, class_name: str | None) -> float:
    return (1.0, -1.0, 0.0)[min(_position(manifest, class_name), 2)]


def _position(manifest: Manifest, class_name: str | None) -> int:
    return 0 if class_name is None else manifest.classes.index(class_name)


def _classes(manifest: Manifest, asked: str | None) -> tuple[str | None, ...]:
    if manifest.task == "regression":
        return (None,)
    return manifest.classes if asked == "all" else (asked or manifest.positive_class or manifest.classes[0],)


def _report(manifest: Manifest) -> OpenReport:
    return OpenReport("sklearn", "1.9", max(1, len(manifest.classes)), "none", METHODS)


@dataclass
class House:
    """Rooms in a folder of their own, with the ways in that tests need."""

    rooms: Rooms
    serving: Serving
    workers: FakeWorkers
    folder: Path
    _count: int = field(default=0)
    _app: Flask | None = field(default=None, repr=False)

    def register(self, files: dict[str, bytes] | None = None, **changes: Any) -> ModelVersion:
        """Register the small model of tests/registry/folders.py, changed at some places."""
        self._count += 1
        candidate = self.rooms.registry.check(write_folder(self.folder / f"model-{self._count}", files, **changes))
        return self.rooms.registry.admit(candidate, _report(candidate.manifest))

    def caller(self, role: str = "demo", door: str = "api", models: tuple[str, ...] = ("*",)) -> Caller:
        kind = "local" if role == "local" else "key"
        return Caller(Principal(f"{kind}_{role}", kind, role, role, models), "request-1", door)

    def key(self, role: str = "demo", models: tuple[str, ...] = ("*",)) -> str:
        return self.rooms.access.keys.issue("tests", role, models=models)[0]

    def session(self, role: str = "demo") -> str:
        """Sign in a new person of this role and return the session's token."""
        self._count += 1
        name = f"person {self._count}"
        person = self.rooms.access.people.add(name, PASSWORD, role)
        return self.rooms.access.door.begin(person, Origin("127.0.0.1"), proven=True)

    def entries(self) -> list[Recorded]:
        return self.rooms.ledger.read(limit=1000)

    def client(self) -> FlaskClient:
        """A browser or program without a name; the app is made once, as that takes longer than to ask."""
        if self._app is None:
            self._app = create_app(self.rooms, self.serving)
        return self._app.test_client()

    def person(self, role: str = "demo") -> tuple[FlaskClient, str]:
        """A browser that is signed in, and the token that its forms carry."""
        client, token = self.client(), self.session(role)
        client.set_cookie(SESSION_COOKIE, token)
        return client, self.rooms.access.csrf_token(token)

    def with_rooms(self, **others: Any) -> House:
        """The same house with some rooms exchanged."""
        rooms = dataclasses.replace(self.rooms, **others)
        return House(rooms, Serving(rooms.registry, rooms.workers), self.workers, self.folder, self._count)  # type: ignore[arg-type]


def build(folder: Path, **settings: Any) -> House:
    """Furnish a house under `folder`; passwords cost little, answers are cached in memory."""
    settings.setdefault("review_sample", 0.0)  # what is drawn at random is judged blind: not in tests of other things
    chosen = Settings(var=folder / "var", registry=folder / "var" / "registry", **settings)
    chosen.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    workers, records = FakeWorkers(), open_file(chosen.var / "ledger.db")
    controls = DurableFile(chosen.var / "controls.db", "")
    registry, receipts = Registry(chosen), ReceiptStore(records)
    rooms = Rooms(
        settings=chosen,
        access=Access(
            chosen.var / "access.db",
            choices=Choices(open_demo=True),
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        ),
        registry=registry,
        cache=Cache([MemoryTier(1_000_000)]),
        workers=workers,  # type: ignore[arg-type]
        receipts=receipts,
        ledger=Ledger(records),
        policies=Policies(controls),
        budgets=Budgets(controls, records),
        extraction=Listener(ExtractionStore(DurableFile(chosen.var / "extraction.db", "")), registry),
        reviews=ReviewStore(records, receipts.seals),
    )
    return House(rooms, Serving(rooms.registry, workers), workers, folder)


def many_features(count: int, name: str = "feature_{}", **changes: Any) -> tuple[Feature, ...]:
    """So many numeric features, the first of them as in FEATURES."""
    first = dataclasses.replace(FEATURES[0], name=name.format(0))
    others = [Feature(name.format(i), "number", nullable=True) for i in range(1, count)]
    return tuple(dataclasses.replace(f, **changes) for f in (first, *others))
