"""Hears answers for the extraction meter, beside the requests."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explainer.errors import ExplainerError
from explainer.monitoring.extraction import Basis, Tally, small_steps
from explainer.monitoring.extraction_store import ExtractionStore, Whose
from explainer.records import Explanation, FloatArray, Manifest, ModelVersion, Principal
from explainer.registry.rows import kinds_of
from explainer.registry.store import Registry

log = logging.getLogger(__name__)

WAITING = 20_000  # answered requests that wait to be heard; of more the oldest are left out
RECENT = 200  # of a principal's rows that small steps are looked for among, in memory only
PRINCIPALS = 1_000
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Heard:
    whose: Whose
    version: ModelVersion
    rows: FloatArray
    margins: FloatArray


class Listener:
    """Hears what was answered, without holding up the request: a thread of each process adds it up every two seconds.

    What waits when a process is killed is not heard: two seconds of answers at most.
    """

    _thread: threading.Thread | None

    def __init__(self, store: ExtractionStore, registry: Registry) -> None:
        self.store, self._registry = store, registry
        self._bases: dict[str, Basis] = {}
        self._begin()

    def predicted(self, who: Principal, version: ModelVersion, rows: FloatArray, outputs: FloatArray) -> None:
        self._hear(who, version, rows, margins_of(version.manifest, outputs))

    def explained(
        self, who: Principal, version: ModelVersion, rows: FloatArray, found: Sequence[tuple[Explanation, ...]]
    ) -> None:
        """Of answers for another class or in another space the score is not heard, and so the row is not."""
        manifest = version.manifest
        told = [next((m for e in row if (m := _margin(manifest, e)) is not None), np.nan) for row in found]
        self._hear(who, version, rows, np.array(told))

    def flush(self) -> None:
        """Add up what waits; raises StorageFailed, and hears it then no more."""
        with self._turn:
            together: dict[Whose, list[_Heard]] = {}
            while self._waiting:
                heard = self._waiting.popleft()
                together.setdefault(heard.whose, []).append(heard)
            for whose, parts in together.items():
                self._add(whose, parts)

    def basis(self, version: ModelVersion) -> Basis:
        if version.digest not in self._bases:
            kinds = kinds_of(version.manifest.features)
            self._bases[version.digest] = Basis(self._registry.background(version), kinds.tolist())
        return self._bases[version.digest]

    def _hear(self, who: Principal, version: ModelVersion, rows: FloatArray, margins: FloatArray) -> None:
        if who.kind == "local":
            return
        if self._process != os.getpid():
            self._begin()
        known = np.isfinite(margins)
        if known.any():
            whose = Whose(who.id, who.role, version.manifest.name, version.digest)
            self._waiting.append(_Heard(whose, version, rows[known], margins[known]))
            self._wake()

    def _add(self, whose: Whose, parts: list[_Heard]) -> None:
        basis = self.basis(parts[0].version)
        rows, margins = np.vstack([p.rows for p in parts]), np.concatenate([p.margins for p in parts])
        rows, first = np.unique(rows, axis=0, return_index=True)
        earlier = self._recent.get(whose, rows[:0])
        fresh = np.array([not _same(row, earlier) for row in rows], dtype=bool)
        if not fresh.any():
            return
        rows, margins = rows[fresh], margins[first][fresh]
        tally = Tally.empty(basis(rows[:1]).shape[1])
        tally.hear(basis, rows, margins, small_steps(rows, earlier))
        if len(self._recent) >= PRINCIPALS:
            self._recent.clear()
        self._recent[whose] = np.vstack([earlier, rows])[-RECENT:]
        self.store.add(whose, tally)

    def _wake(self) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="extraction-meter", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_S)
            try:
                self.flush()
            except ExplainerError as error:
                log.error("extraction meter: %s: %s", error.title, error.detail)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._waiting: deque[_Heard] = deque(maxlen=WAITING)
        self._recent: dict[Whose, FloatArray] = {}
        self._turn, self._starting = threading.Lock(), threading.Lock()
        self._thread = None


def margins_of(manifest: Manifest, outputs: FloatArray) -> FloatArray:
    """Log odds of the leading class less the threshold's, for outputs of shape (rows, outputs); NaN for regression."""
    if manifest.task == "regression":
        return np.full(len(outputs), np.nan)
    return _log_odds(outputs[:, manifest.classes.index(_leading(manifest))]) - _cut(manifest)


def _margin(manifest: Manifest, e: Explanation) -> float | None:
    if manifest.task == "regression" or e.class_name != _leading(manifest) or e.output == "raw":
        return None
    score = _log_odds(np.array([e.prediction]))[0] if e.output == "probability" else e.prediction
    return float(score - _cut(manifest))


def _leading(manifest: Manifest) -> str:
    return manifest.positive_class or manifest.classes[0]


def _cut(manifest: Manifest) -> float:
    threshold = manifest.decision.threshold if manifest.decision is not None else 0.5
    return float(_log_odds(np.array([threshold]))[0])


def _log_odds(p: FloatArray) -> FloatArray:
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def _same(row: FloatArray, others: FloatArray) -> bool:
    return bool(((others == row) | (np.isnan(others) & np.isnan(row))).all(axis=1).any())
