"""An export on this machine or a cluster, from files into a folder: what the command line asks for."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from explainer.errors import Conflict, InvalidOption, StorageFailed
from explainer.exports.folder import Folder
from explainer.exports.holders import this_process
from explainer.exports.jobs import Job, Progress
from explainer.exports.layout import empty_batch
from explainer.exports.runners import Runner
from explainer.exports.runners.joblib import Joblib
from explainer.exports.running import Plan, compute
from explainer.exports.signing import signer
from explainer.exports.spec import Spec
from explainer.exports.store import ExportStore, LeaseLost, new_id
from explainer.exports.verify import verify
from explainer.records import OpenReport
from explainer.registry.fetching import check_address
from explainer.usecases.exports_decisions import DecisionQuery, asked_of, told_of, write_rows
from explainer.usecases.exports_models import Errand, Opening, of_digest
from explainer.usecases.exports_spec import ExportAsk, spec_of
from explainer.usecases.exports_step import no_rows
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

PROGRESS = ".progress.db"
DECISIONS = ".decisions"
TAKEN = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".gz", ".zst")


@dataclass(frozen=True, slots=True)
class LocalAsk:
    """Where the rows come from, files or stored decisions, where the files go, and who is told how far it is."""

    what: ExportAsk
    source: Path | DecisionQuery
    output: Path
    stopping: Callable[[], bool]
    progressed: Callable[[Job], None]
    models: str | None = None  # the address from which workers fetch the version; None: the folder of the registry


def export_here(rooms: Rooms, caller: Caller, ask: LocalAsk, start: Callable[[], Runner]) -> Job:
    """Export into a folder; one that was begun for the same is gone on with. Raises what `compute` raises.

    Raises Conflict when the folder holds another export, or another process works in it.
    """
    with recorded(rooms.ledger, caller, "export:create", model=ask.what.model) as note:
        folder = Folder(ask.output.absolute())
        what, files = _rows(rooms, caller, ask, folder)
        spec, total = spec_of(rooms, caller, what, files, pooled=False)
        note["version"], note["digest"] = spec.version, spec.digest
        note.update(told_of(spec))
        store = _store(folder)
        try:
            job = _job(store, lambda: new_job(caller, spec, total, 0, new_id()))
            if dataclasses.replace(job.spec, chunk_rows=0) != dataclasses.replace(spec, chunk_rows=0):
                raise Conflict(f"{ask.output} holds an export with other settings or input; name another folder.")
            note["export"], note["rows"] = job.id, job.progress.rows
            if job.state == "done":
                return _whole(job, folder)
            job = store.claim(this_process(), only=job.id) or _busy(ask.output)
            done = _compute(rooms, store, job, folder, ask, start)
            note["rows"], note["rejected"] = done.progress.rows, done.progress.rejected
            return done
        finally:
            store.close()


def _rows(rooms: Rooms, caller: Caller, ask: LocalAsk, folder: Folder) -> tuple[ExportAsk, list[str]]:
    """What is asked of which files; decisions are written into the export's own folder, once."""
    if not isinstance(ask.source, DecisionQuery):
        return ask.what, files_of(ask.source)
    folder.prepare()
    path, told = write_rows(rooms, caller, ask.what.model, ask.source, folder.path / DECISIONS)
    return asked_of(ask.what, told), [str(path)]


def files_of(source: Path) -> list[str]:
    """The file, or the files of the folder by name; raises InvalidOption when there is none."""
    if source.is_dir():
        found = sorted(p for p in source.iterdir() if p.is_file() and p.name.lower().endswith(TAKEN))
        if not found:
            raise InvalidOption(f"input: {source} holds no .csv, .jsonl or .parquet file.")
        return [str(p.absolute()) for p in found]
    return [str(source.absolute())]


def program_of(report: OpenReport) -> dict[str, str]:
    """What an export's numbers were made with."""
    libraries = {name: importlib.metadata.version(name) for name in ("explainer", "numpy", "scipy", "scikit-learn")}
    methods = {f"method {name}": str(version) for name, version in report.methods.items()}
    return {"python": platform.python_version(), **libraries, report.library: report.library_version, **methods}


def _compute(
    rooms: Rooms, store: ExportStore, job: Job, folder: Folder, ask: LocalAsk, start: Callable[[], Runner]
) -> Job:
    version = of_digest(rooms.registry, job.spec.digest)
    trusted = rooms.settings.trusted_keys
    space = job.spec.options.output or version.manifest.output
    registry = str(rooms.settings.registry.absolute()) if ask.models is None else check_address(ask.models)
    runner = start()
    opening = Opening(
        registry=registry,
        trusted_keys=None if trusted is None else str(trusted.absolute()),
        digest=job.spec.digest,
        parent=os.getpid() if isinstance(runner, Joblib) else None,  # workers of engines need their connections
        place=(version.manifest.name, version.manifest.version),
    )
    try:
        plan = Plan(
            task=Errand(opening, job.spec),
            empty=no_rows(job.spec, version.manifest, empty_batch(len(version.manifest.features), space)),
            names=tuple(feature.name for feature in version.manifest.features),
            program=program_of(rooms.registry.report(version)),
            signer=signer(rooms.settings.var),
            stopping=ask.stopping,
            progressed=lambda held: ask.progressed(store.get(held.id)),
        )
        return compute(store, job, folder, runner, plan)
    except BaseException:
        with contextlib.suppress(LeaseLost, StorageFailed):  # what went wrong is what is said
            store.give_back(job.id, job.holder or "")
        raise
    finally:
        runner.close()


def new_job(caller: Caller, spec: Spec, total: int, priority: int, job_id: str) -> Job:
    """An export that waits."""
    who = caller.principal
    return Job(job_id, who.id, who.role, "queued", priority, time.time(), spec, Progress(total=total))


def _store(folder: Folder) -> ExportStore:
    folder.prepare()
    return ExportStore(folder.path / PROGRESS)


def _job(store: ExportStore, new: Callable[[], Job]) -> Job:
    known = store.latest(limit=1)
    return known[0] if known else store.submit(new())


def _whole(job: Job, folder: Folder) -> Job:
    folder.clear_parts()
    verdict = verify(folder.path)
    if not verdict.ok:
        raise Conflict(f"{folder.path} was finished, and changed since: {verdict.problems[0]}. Name another folder.")
    return job


def _busy(output: Path) -> NoReturn:
    raise Conflict(f"Another process works on the export in {output} at this moment.")
