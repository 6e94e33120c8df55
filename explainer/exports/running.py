"""Computes an export: gives the chunks that are missing to a runner, keeps what comes back, puts the files together."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from explainer.errors import Conflict, ExplainerError, InvalidRows, WorkerDied
from explainer.exports.arrow import assemble, from_stream
from explainer.exports.chunks import Chunk, Done
from explainer.exports.cutting import Cut, cut
from explainer.exports.folder import MANIFEST, REPORT, SIGNATURE, SUMMARY, Folder
from explainer.exports.jobs import Job, Noted
from explainer.exports.layout import Answered
from explainer.exports.manifest import Written, manifest_bytes
from explainer.exports.report import report_html
from explainer.exports.runners import Runner, Task
from explainer.exports.signing import Signer
from explainer.exports.store import LEASE_S, ExportStore, LeaseLost
from explainer.exports.summary import added, told
from explainer.exports.writing import heading, rendered

LOSSES = 3  # workers lost in a row without a finished chunk between


class Stopped(ExplainerError):
    """The runner was told to stop; the export goes on later."""

    code, status, title = "stopped", 503, "The export was interrupted"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an export is computed with. `empty` shows the columns, `names` are the features."""

    task: Task
    empty: Answered
    names: tuple[str, ...]
    program: Mapping[str, str]
    signer: Signer
    lasts_s: float | None = None
    stopping: Callable[[], bool] = field(default=lambda: False)
    progressed: Callable[[Job], None] = field(default=lambda job: None)


def compute(store: ExportStore, job: Job, folder: Folder, runner: Runner, plan: Plan) -> Job:
    """Compute a claimed export to its end; what was finished before is not computed again.

    Raises Stopped, LeaseLost, StorageFailed, InvalidRows when the input cannot be read, Conflict when it changed,
    WorkerDied when workers keep ending, and what the model raises for every row.
    """
    work = _Work(store, job, folder, plan)
    with _renewing(store, job):
        work.recall()
        known = work.all_chunks(runner)
        job = store.get(job.id)
        _write_files(store, job, folder, plan, known)
        store.finish(job.id, _holder(job), None if plan.lasts_s is None else time.time() + plan.lasts_s)
    folder.clear_parts()
    return store.get(job.id)


class _Work:
    """One export under way: which chunks are finished, and which input those under way were cut from."""

    def __init__(self, store: ExportStore, job: Job, folder: Folder, plan: Plan) -> None:
        self._store, self._job, self._folder, self._plan = store, job, folder, plan
        self._noted: dict[int, Noted] = {}
        self._under_way: dict[int, tuple[str, int]] = {}
        self._since = time.monotonic()

    def recall(self) -> None:
        """Find the finished chunks whose parts are on disk as they were written."""
        self._folder.prepare()
        noted = self._store.chunks(self._job.id)
        lost = [n for n, c in noted.items() if not self._folder.intact(n, c.rows_sha256, c.rejects_sha256)]
        if lost:
            self._store.forget(self._job.id, _holder(self._job), lost)
        self._noted = {n: c for n, c in noted.items() if n not in set(lost)}

    def all_chunks(self, runner: Runner) -> Cut:
        """Go on until every chunk is finished; a lost worker costs the chunks it had."""
        losses = 0
        while True:
            known, before = Cut(), len(self._noted)
            try:
                for done in runner.run(self._plan.task, self._missing(known)):
                    self._keep(done)
                if self._plan.stopping():
                    raise Stopped(f"Export {self._job.id} was interrupted; it goes on where it stopped.")
                return known
            except WorkerDied as error:
                losses = 1 if len(self._noted) > before else losses + 1
                if losses >= LOSSES:
                    raise WorkerDied(
                        f"Workers ended {losses} times without a finished chunk: {error.detail}"
                    ) from error

    def _missing(self, known: Cut) -> Iterator[Chunk]:
        spec = self._job.spec
        for chunk in cut(spec.source, spec.chunk_rows, known):
            if self._plan.stopping():
                return
            source = _source(chunk)
            noted = self._noted.get(chunk.number)
            if noted is None:
                self._under_way[chunk.number] = (source, chunk.read)
                yield chunk
            elif noted.source != source:
                raise Conflict(
                    f"{chunk.file} changed since this export began (at line {chunk.first}); start a new export."
                )

    def _keep(self, done: Done) -> None:
        """First the part, then the note of it: a note without its part there never is."""
        if done.rejects and self._job.spec.stop_on_reject:
            first = done.rejects[0]
            where = (
                f"{first.file}: line {first.line}.{first.field}" if first.file else f"line {first.line}.{first.field}"
            )
            raise InvalidRows(f"{where}: {first.detail}")
        rows, rejects = self._folder.keep_part(done.number, done.data, done.rejects)
        source, read = self._under_way.pop(done.number)
        noted = Noted(done.number, source, done.explained, done.rejected, done.skipped, read, rows, rejects)
        present = time.monotonic()
        self._store.note(self._job.id, _holder(self._job), noted, done.summary, present - self._since)
        self._since = present
        self._noted[done.number] = noted
        self._plan.progressed(self._job)


def _write_files(store: ExportStore, job: Job, folder: Folder, plan: Plan, known: Cut) -> None:
    spec, chunks = job.spec, store.chunks(job.id)
    total = added(store.summaries(job.id))
    summary = told(total, plan.names, spec.bins, shared_seed=spec.options.seed is not None)
    files = [_explanations(job, folder, plan, [n for n, c in chunks.items() if c.explained])]
    files.append(Written("rejects.csv", *folder.join_rejects(chunks)))
    text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    files.append(Written(SUMMARY, *folder.stream(SUMMARY, [text])))
    files.append(Written(REPORT, *folder.stream(REPORT, [report_html(job, summary, known)])))
    data = manifest_bytes(job, known, files, summary, plan.program, plan.signer.public)
    folder.stream(SIGNATURE, [plan.signer.sign(data).encode()])
    folder.stream(MANIFEST, [data])


def _explanations(job: Job, folder: Folder, plan: Plan, numbers: Sequence[int]) -> Written:
    name = f"explanations.{job.spec.output}"
    if job.spec.output != "parquet":
        return Written(name, *folder.join(name, heading(job.spec, plan.empty), numbers))
    target = folder.path / f".{name}.part"
    metadata = {
        "explainer.model": job.spec.model,
        "explainer.version": job.spec.version,
        "explainer.digest": job.spec.digest,
        "explainer.background": job.spec.background,
    }
    assemble([folder.part(n) for n in numbers], target, from_stream(rendered(plan.empty, job.spec)), metadata)
    return Written(name, *folder.adopt(target, name))


@contextmanager
def _renewing(store: ExportStore, job: Job) -> Iterator[None]:
    """Renew the lease while a chunk takes long; a lease that is lost is noticed when the next chunk is kept."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE_S / 4):
            try:
                store.renew(job.id, _holder(job))
            except LeaseLost:
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _source(chunk: Chunk) -> str:
    digest = hashlib.sha256(repr((chunk.file, chunk.kind, chunk.first, chunk.header, chunk.delimiter)).encode())
    digest.update(chunk.data)
    return digest.hexdigest()


def _holder(job: Job) -> str:
    if job.holder is None:
        raise LeaseLost(f"Export {job.id} is not claimed.")
    return job.holder


def rate(progress: Any, seconds: float) -> float | None:
    """Rows per second so far."""
    return progress.rows / seconds if seconds > 0 and progress.rows else None
