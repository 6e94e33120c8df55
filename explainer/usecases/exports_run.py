"""Runs the service's exports one after the other, and removes files whose time is over."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explainer.errors import (
    Conflict,
    ExplainerError,
    InvalidOption,
    InvalidRows,
    ModelFailed,
    ModelRefused,
    NotFound,
    NotReady,
    Overloaded,
    StorageFailed,
    WorkerDied,
    WorkerTimedOut,
)
from explainer.exports.chunks import Chunk, Done
from explainer.exports.jobs import Job
from explainer.exports.layout import empty_batch
from explainer.exports.runners.serial import Serial
from explainer.exports.running import Plan, Stopped, compute
from explainer.exports.store import LeaseLost
from explainer.records import LedgerEntry
from explainer.usecases.exports_local import program_of
from explainer.usecases.exports_models import PooledModel, of_digest
from explainer.usecases.exports_room import Exports, exports_of
from explainer.usecases.exports_rows import Reader
from explainer.usecases.exports_step import Step, no_rows
from explainer.usecases.recording import Note
from explainer.usecases.rooms import Rooms
from explainer.usecases.serving import Served

log = logging.getLogger(__name__)
DAY_S = 86_400
PASSING = (NotReady, Overloaded, WorkerDied, WorkerTimedOut, StorageFailed)  # tried again after a while
FINAL = (InvalidRows, InvalidOption, ModelFailed, ModelRefused, Conflict, NotFound)
WAIT_S = 5.0
MOST_WAIT_S = 300.0
MOST_FAILURES = 12  # in a row, without a finished chunk between: about half an hour


class Exporter:
    """One runner of the service. Any number of them may work beside one another."""

    def __init__(self, rooms: Rooms, serving: Served, holder: str, stopping: Callable[[], bool]) -> None:
        self._rooms, self._serving, self._holder, self._stopping = rooms, serving, holder, stopping
        self._exports: Exports = exports_of(rooms)

    def turn(self) -> bool:
        """Sweep, then run the export that is due next, if there is one; whether there was."""
        self.sweep()
        job = self._exports.store.claim(self._holder)
        if job is None:
            return False
        try:
            with self._recorded("export:start", job):
                pass
            with self._recorded("export:run", job) as note:
                done = self._run(job)
                note.update(rows=done.progress.rows, rejected=done.progress.rejected)
        except (Stopped, LeaseLost) as error:
            log.info("export %s: %s", job.id, error.detail)
        except FINAL as error:
            if isinstance(error, PASSING):
                self._later(job, error)
            else:
                self._fail(job, error)
        except ExplainerError as error:
            self._later(job, error)
        return True

    def sweep(self) -> None:
        """Remove the files of exports that were cancelled, or whose time is over."""
        for job in self._exports.store.expired():
            with self._recorded("export:expire", job):
                self._exports.folder(job.id).remove()
                self._exports.store.settle(job.id)

    def _run(self, job: Job) -> Job:
        version = of_digest(self._rooms.registry, job.spec.digest)
        report = self._serving.opened(version)
        manifest, spec = version.manifest, job.spec
        model = PooledModel(self._rooms, version, spec.options, job.principal)
        plan = Plan(
            task=self._counted(Step(spec, model, Reader(manifest.features, spec))),
            empty=no_rows(spec, manifest, empty_batch(len(manifest.features), spec.options.output or manifest.output)),
            names=tuple(feature.name for feature in manifest.features),
            program=program_of(report),
            signer=self._exports.signer(),
            lasts_s=self._lasts_s(),
            stopping=self._stopping,
        )
        try:
            done = compute(self._exports.store, job, self._exports.folder(job.id), Serial(), plan)
        except Stopped:
            self._exports.store.give_back(job.id, self._holder)
            raise
        shutil.rmtree(self._exports.uploads(job.id), ignore_errors=True)  # the rows are in the output
        return done

    def _counted(self, step: Step) -> Callable[[Chunk], Done]:
        """The step, every row that it went through counted for whoever watches the service."""

        def counted(chunk: Chunk) -> Done:
            done = step.run(chunk)
            self._rooms.meters.exported(
                step.spec.model, explained=done.explained, rejected=done.rejected, skipped=done.skipped
            )
            return done

        return counted

    def _later(self, job: Job, error: ExplainerError) -> None:
        """Put it back for a while that grows; one that never comes on fails for good."""
        try:
            failures = self._exports.store.give_back(job.id, self._holder, error=error.detail, wait_s=self._wait(job))
            if failures >= MOST_FAILURES:
                claimed = self._exports.store.claim(self._holder, only=job.id)
                if claimed is not None:
                    self._fail(claimed, error)
        except LeaseLost:
            return
        except StorageFailed as lost:
            log.error("export %s: %s", job.id, lost.detail)
            time.sleep(WAIT_S)

    def _wait(self, job: Job) -> float:
        return float(min(WAIT_S * 2 ** self._exports.store.failures(job.id), MOST_WAIT_S))

    def _fail(self, job: Job, error: ExplainerError) -> None:
        log.warning("export %s failed: %s", job.id, error.detail)
        self._exports.store.fail(job.id, self._holder, f"{error.title}: {error.detail}", time.time() + self._lasts_s())

    def _lasts_s(self) -> float:
        return float(self._rooms.settings.export_days * DAY_S)

    @contextmanager
    def _recorded(self, event: str, job: Job) -> Iterator[Note]:
        """One ledger entry for what the runner does, in the name of whoever asked for the export."""
        note = Note({"export": job.id, "model": job.spec.model, "digest": job.spec.digest})
        outcome = "failed"
        try:
            yield note
            outcome = "answered"
        except ExplainerError as error:
            outcome = error.code
            raise
        finally:
            self._rooms.ledger.append(LedgerEntry(f"exporter:{event}", job.principal, outcome, job.id, note))
