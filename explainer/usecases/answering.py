"""Rows in, explanations out: from the cache where they are known, from the workers where not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from explainer.cache.key import canonical
from explainer.cache.key import digests as cache_keys
from explainer.records import (
    ExplainOptions,
    Explanation,
    FloatArray,
    LimeReport,
    MethodReport,
    ModelVersion,
    Notice,
    OpenReport,
)
from explainer.usecases.erasing import code_of
from explainer.usecases.rooms import Rooms
from explainer.workers.asking import Asking

NOT_KEPT = frozenset({"deadline-reached"})  # what a clock decided is not the answer to the question


@dataclass(frozen=True, slots=True)
class Answer:
    """The explanations of one row (one for each class asked for), as they are stored, and where they came from.

    `computed` holds those that were computed just now, so that they need not be read from what is stored.
    """

    stored: bytes
    hit: bool
    computed: tuple[Explanation, ...] | None = None

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        if self.computed is not None:
            return self.computed
        return tuple(_explanation(item) for item in orjson.loads(self.stored))


def answer_rows(
    rooms: Rooms,
    version: ModelVersion,
    report: OpenReport,
    rows: FloatArray,
    options: ExplainOptions,
    asking: Asking,
) -> list[Answer]:
    """Explain coded rows of shape (rows, features) for whoever asks; the same row is computed once."""
    rows = canonical(rows)
    code, background = code_of(report), version.manifest.background.sha256
    rooms.receipts.answered_by.note(version.digest, background, code)
    keys = cache_keys(version.digest, background, options, code, rows)
    timed = options.deadline_ms is not None
    patience = options.deadline_ms / 1000 if options.deadline_ms is not None else None
    asked = options if options.top is None else replace(options, top=None)
    fresh: dict[bytes, tuple[Explanation, ...]] = {}

    def compute(missing: list[int]) -> list[tuple[bytes, bool]]:
        wanted = replace(asking, keys=() if timed else tuple(keys[i] for i in missing))
        with rooms.meters.stage("compute"):
            results = rooms.workers.explain(version.digest, rows[missing], asked, wanted)
        for i, result in zip(missing, results, strict=True):
            rooms.meters.computed(version.manifest.name, result)
            fresh[keys[i]] = result
        return [(orjson.dumps(result), _may_be_kept(result)) for result in results]

    with rooms.meters.stage("cache"):
        found = rooms.cache.through(keys, compute, patience_s=patience)
    return [
        Answer(stored, hit, None if hit else fresh.get(key)) for key, (stored, hit) in zip(keys, found, strict=True)
    ]


def _may_be_kept(explanations: tuple[Explanation, ...]) -> bool:
    return not any(notice.code in NOT_KEPT for e in explanations for notice in e.warnings)


def _explanation(item: dict) -> Explanation:  # type: ignore[type-arg]
    item["method"] = MethodReport(**item["method"])
    item["warnings"] = tuple(Notice(**notice) for notice in item["warnings"])
    item["attributions"] = tuple(item["attributions"])
    item["standard_errors"] = tuple(item["standard_errors"])
    if item["lime"] is not None:
        item["lime"] = LimeReport(**{**item["lime"], "rules": tuple((r, w) for r, w in item["lime"]["rules"])})
    return Explanation(**item)
