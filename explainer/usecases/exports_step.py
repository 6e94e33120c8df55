"""One chunk of an export: read its rows, explain those that the rule asks for, write them down, add them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from explainer.attribution.batch import Batch
from explainer.errors import ExplainerError, InvalidOption, ModelFailed, WorkerDied, WorkerTimedOut
from explainer.exports.chunks import Chunk, Done, Reject
from explainer.exports.columns import Column, taken
from explainer.exports.layout import Answered
from explainer.exports.spec import RULE, Spec
from explainer.exports.summary import summed
from explainer.exports.writing import rendered
from explainer.records import FloatArray, Manifest
from explainer.usecases.deciding import are_adverse, scores_of
from explainer.usecases.exports_rows import Reader, Rows, values_of

ALONE = (ModelFailed, InvalidOption)  # what one row may be guilty of
LOST = (WorkerDied, WorkerTimedOut)  # and what it is not: the chunk is tried again
TOO_MANY = 20  # rows of a chunk that all fail: then it is the model, or a setting
COMPARED: dict[str, Callable[[Any, float], Any]] = {
    ">=": lambda p, t: p >= t, "<=": lambda p, t: p <= t, ">": lambda p, t: p > t, "<": lambda p, t: p < t
}  # fmt: skip


class Model(Protocol):
    """A version that is ready: predictions (n, outputs) and explanations of coded rows."""

    @property
    def manifest(self) -> Manifest: ...

    def predict(self, rows: FloatArray) -> FloatArray: ...

    def explain(self, rows: FloatArray) -> Batch: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What every chunk of an export is computed with."""

    spec: Spec
    model: Model
    reader: Reader

    def run(self, chunk: Chunk) -> Done:
        """Raises InvalidRows when the file's header does not fit, and what the model raises for every row."""
        rows = self.reader.read(chunk)
        bad = len({(r.file, r.line) for r in rows.rejects})
        leading, decision = self._decided(rows.coded)
        asked = np.flatnonzero(self._wanted(leading, decision))
        batch, failed = self._explained(rows, asked, chunk.file)
        good = np.array([i for i in asked.tolist() if i not in failed], dtype=np.int64)
        rejects = tuple(sorted((*rows.rejects, *failed.values()), key=lambda r: r.line))
        skipped = len(rows.coded) - len(asked)
        done = Done(chunk.number, len(good), bad + len(failed), skipped, b"", rejects)
        return done if batch is None else self._told(done, rows, good, batch, decision, chunk)

    def _told(self, done: Done, rows: Rows, good: Any, batch: Batch, decision: Any, chunk: Chunk) -> Done:
        coded = rows.coded[good]
        answered = Answered(
            file=chunk.file if len(self.spec.source.files) > 1 else None,
            lines=[rows.lines[i] for i in good.tolist()],
            carried=tuple(taken(column, good) for column in rows.carried),
            values=values_of(self.model.manifest.features, coded),
            batch=batch,
            decision=decision[good],
            decisions=decision_words(self.model.manifest),
        )
        data, sums = rendered(answered, self.spec), summed(batch, coded, self.spec.bins)
        return Done(done.number, done.explained, done.rejected, done.skipped, data, done.rejects, sums)

    def _decided(self, coded: FloatArray) -> tuple[FloatArray | None, Any]:
        """The model's leading output of each row, and the decision: 0 favourable, 1 adverse, -1 none."""
        manifest = self.model.manifest
        none = np.full(len(coded), -1, dtype=np.int64)
        if not len(coded) or (self.spec.where is None and manifest.decision is None):
            return None, none
        leading = scores_of(manifest, self.model.predict(coded))
        if manifest.decision is None:
            return leading, none
        return leading, are_adverse(manifest.decision, leading).astype(np.int64)

    def _wanted(self, leading: FloatArray | None, decision: Any) -> Any:
        where = self.spec.where
        if where is None or leading is None:
            return np.ones(len(decision), dtype=np.bool_)
        rule = RULE.fullmatch(where)
        if rule is None:
            return decision == ("favourable", "adverse").index(where)
        return COMPARED[rule[1]](leading, float(rule[2]))

    def _explained(self, rows: Rows, asked: Any, file: str) -> tuple[Batch | None, dict[int, Reject]]:
        """All rows at once; where that fails, row by row, and a row that fails alone is rejected."""
        if not len(asked):
            return None, {}
        try:
            return self.model.explain(rows.coded[asked]), {}
        except LOST:
            raise
        except ALONE as error:
            return self._one_by_one(rows, asked, file, error)

    def _one_by_one(
        self, rows: Rows, asked: Any, file: str, first: ExplainerError
    ) -> tuple[Batch | None, dict[int, Reject]]:
        failed: dict[int, Reject] = {}
        for i in asked.tolist():
            try:
                self.model.explain(rows.coded[[i]])
            except LOST:
                raise
            except ALONE as error:
                failed[i] = Reject(file, rows.lines[i], "", error.code, error.detail)
                if len(failed) == TOO_MANY and i == asked[TOO_MANY - 1]:
                    raise first from None
        good = [i for i in asked.tolist() if i not in failed]
        return (self.model.explain(rows.coded[good]) if good else None), failed


def decision_words(manifest: Manifest) -> tuple[str, ...]:
    return () if manifest.decision is None else (manifest.decision.favourable, manifest.decision.adverse)


def no_rows(spec: Spec, manifest: Manifest, batch: Batch) -> Answered:
    """The columns of the output without a row."""
    width = len(manifest.features)
    carried = tuple(Column(name, "text", []) for name in spec.carry)
    file = "" if len(spec.source.files) > 1 else None
    values = values_of(manifest.features, np.zeros((0, width)))
    return Answered(file, [], carried, values, batch, np.zeros(0, np.int64), decision_words(manifest))
