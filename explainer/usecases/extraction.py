"""The extraction meter is read, told about, and acted upon; in the exporter's process, behind everybody who waits."""

from __future__ import annotations

import logging
from typing import Any

from explainer.errors import ExplainerError
from explainer.monitoring.extraction import agreement, patterns
from explainer.monitoring.extraction_store import Read
from explainer.records import FloatArray, LedgerEntry, ModelVersion
from explainer.usecases.extraction_hearing import margins_of
from explainer.usecases.rooms import Rooms
from explainer.usecases.serving import Served
from explainer.workers.asking import Asking

log = logging.getLogger(__name__)

ALERT, TIGHTEN, REFUSE = 0.90, 0.93, 0.96  # agreement on the background
LEVELS = ("", "alert", "tightened", "refused")


class Judge:
    """Reads the meter: what a clone would agree on the background, and whether somebody has to be told or stopped.

    Told is whatever passes the alert's threshold or shows a pattern. Only both together tighten and refuse, and only
    for applications: many honest rows make a good clone too, and for these there is the budget.
    """

    def __init__(self, rooms: Rooms, serving: Served) -> None:
        self._rooms, self._serving = rooms, serving
        self._truth: dict[str, FloatArray] = {}

    def turn(self) -> None:
        """Judge whoever asked since the last turn. Raises StorageFailed; a version that cannot answer waits."""
        versions = {version.digest: version for version in self._rooms.registry.versions()}
        for read in self._rooms.extraction.store.unjudged():
            version = versions.get(read.whose.digest)
            if version is None or version.retired_at is not None or version.manifest.task != "classification":
                continue
            try:
                self._judge(read, version)
            except ExplainerError as error:
                log.warning("extraction meter: %s: %s", error.title, error.detail)

    def _judge(self, read: Read, version: ModelVersion) -> None:
        background, truth = self._rooms.registry.background(version), self._margins(version)
        agree = agreement(read.tally, self._rooms.extraction.basis(version), background, truth)
        seen = patterns(read.tally, truth)
        level = level_of(agree, seen, read.whose.role)
        if LEVELS.index(level) > LEVELS.index(read.level):
            self._tell(read, agree, seen, level)
        else:
            level = read.level
        self._rooms.extraction.store.judge(read, agree, level)

    def _tell(self, read: Read, agree: float, seen: tuple[str, ...], level: str) -> None:
        whose, what = read.whose, ", ".join(seen)
        facts: dict[str, Any] = {
            "model": whose.model,
            "digest": whose.digest,
            "rows": read.tally.rows,
            "agreement": round(agree, 3),
            "patterns": what,
            "level": level,
        }
        self._rooms.ledger.append(LedgerEntry("meter:extraction:alert", whose.principal, level, "meter", facts))
        log.warning("extraction meter: %s of %s by %s: clone agrees %.3f", level, whose.model, whose.principal, agree)
        if level in ("tightened", "refused"):
            why = f"a clone made of its {read.tally.rows:,} answers would agree {agree:.0%}, and they show: {what}"
            self._rooms.policies.hold(whose.principal, whose.model, level, why)  # type: ignore[arg-type]

    def _margins(self, version: ModelVersion) -> FloatArray:
        if version.digest not in self._truth:
            self._serving.opened(version)
            rows = self._rooms.registry.background(version)
            outputs = self._rooms.workers.predict(version.digest, rows, Asking("meter", bulk=True))
            self._truth[version.digest] = margins_of(version.manifest, outputs)
        return self._truth[version.digest]


def level_of(agree: float, seen: tuple[str, ...], role: str) -> str:
    if seen and role == "application" and agree >= TIGHTEN:
        return "refused" if agree >= REFUSE else "tightened"
    return "alert" if seen or agree >= ALERT else ""
