"""Exports of the service: submitted, looked at, paused, gone on with, removed; never those of somebody else."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, MalformedRequest, NotFound, StorageFailed, TooManyRequests
from explainer.exports.folder import MANIFEST, REJECTS, REPORT, SIGNATURE, SUMMARY
from explainer.exports.jobs import OPEN, Job
from explainer.exports.store import new_id
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.exports_decisions import DecisionQuery, asked_of, told_of, write_rows
from explainer.usecases.exports_local import new_job
from explainer.usecases.exports_room import Exports, exports_of
from explainer.usecases.exports_spec import ExportAsk, spec_of
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

DAY_S = 86_400
OTHERS = (REJECTS, SUMMARY, REPORT, MANIFEST, SIGNATURE)
LONGEST_KEY = 255
MOST_DECISIONS = 100_000  # of one export that is submitted while somebody waits; the command line has no limit


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows come from: bytes that were sent, a file in the folder that the settings name, stored decisions.

    `ending` says what the bytes are: csv, jsonl or parquet.
    """

    sent: bytes = b""
    ending: str = "jsonl"
    file: str | None = None
    decisions: DecisionQuery | None = None


def submit(rooms: Rooms, caller: Caller, ask: ExportAsk, rows: Rows, idempotency: str | None = None) -> Job:
    """Keep a new export; with an idempotency key that came before, return the export that it made.

    Raises what `spec_of` raises, TooManyRequests above a quota, Conflict for a key that came with another request.
    """
    exports = exports_of(rooms)
    with recorded(rooms.ledger, caller, "export:create", model=ask.model) as note:
        rooms.access.require(caller.principal, Permission.EXPORT_CREATE, ask.model)
        _check_key(idempotency)
        request = hashlib.sha256(repr((ask, rows)).encode()).hexdigest()
        job = _known(exports, caller, idempotency, request)
        if job is None:
            _check_quota(exports, rooms, caller)
            job = _submitted(rooms, exports, caller, ask, rows, (idempotency, request))
        note["export"], note["version"], note["digest"] = job.id, job.spec.version, job.spec.digest
        note.update(told_of(job.spec))
        return job


def submit_explain(rooms: Rooms, caller: Caller, ask: ExplainAsk, idempotency: str | None = None) -> Job:
    """An explain request of many rows as an export in JSON lines; raises as `submit` does."""
    what = ExportAsk(ask.model, ask.options, ask.version, ask.background)
    return submit(rooms, caller, what, Rows(lines_of(ask.instances)), idempotency)


def lines_of(instances: Any) -> bytes:
    """Rows of JSON values as JSON lines; raises MalformedRequest when they are not a list that holds something."""
    if not isinstance(instances, list) or not instances:
        raise MalformedRequest("instances: send a list of at least one row.")
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in instances)


def find_exports(rooms: Rooms, caller: Caller) -> list[Job]:
    """The caller's latest exports, newest first."""
    with recorded(rooms.ledger, caller, "export:list") as note:
        rooms.access.require(caller.principal, Permission.EXPORT_READ)
        found = exports_of(rooms).store.latest(caller.principal.id)
        note["exports"] = len(found)
        return found


def show_export(rooms: Rooms, caller: Caller, job_id: str) -> Job:
    """Raises NotFound for an export that is not there, or is somebody else's."""
    with recorded(rooms.ledger, caller, "export:read", export=job_id):
        return _own(rooms, caller, job_id, Permission.EXPORT_READ)


def files_of_export(job: Job) -> list[str]:
    """The names of the files of a finished export."""
    return [f"explanations.{job.spec.output}", *OTHERS] if job.state == "done" else []


def export_file(rooms: Rooms, caller: Caller, job_id: str, name: str) -> tuple[Path, str]:
    """The path of a file of a finished export and its SHA-256; raises NotFound."""
    with recorded(rooms.ledger, caller, "export:download", export=job_id) as note:
        job = _own(rooms, caller, job_id, Permission.EXPORT_READ)
        names = files_of_export(job)
        if name not in names:
            listed = (
                f"it has {', '.join(names)}" if names else f"it is {job.state}, and files are there once it is done"
            )
            raise NotFound(f"Export {job.id} has no file {name[:60]!r}: {listed}.")
        note["file"] = name
        path = exports_of(rooms).folder(job.id).path / name
        return path, _digest_of(path)


def remove_export(rooms: Rooms, caller: Caller, job_id: str) -> Job:
    """Cancel an export that is not finished, remove the files of one that is; raises NotFound."""
    with recorded(rooms.ledger, caller, "export:remove", export=job_id) as note:
        job = _own(rooms, caller, job_id, Permission.EXPORT_CHANGE)
        exports = exports_of(rooms)
        note["state"] = job.state
        if job.state in OPEN:
            # The runner may be writing a part: the sweep removes the files when it has stopped.
            return exports.store.change(job.id, "cancelled", OPEN, expires=time.time())
        exports.folder(job.id).remove()
        return exports.store.change(job.id, "expired", ("done", "failed", "cancelled", "expired"))


def pause_export(rooms: Rooms, caller: Caller, job_id: str) -> Job:
    """Stop after the chunks that are under way, until it is gone on with; raises NotFound, Conflict."""
    with recorded(rooms.ledger, caller, "export:pause", export=job_id):
        job = _own(rooms, caller, job_id, Permission.EXPORT_CHANGE)
        return exports_of(rooms).store.change(job.id, "paused", ("queued", "running"))


def resume_export(rooms: Rooms, caller: Caller, job_id: str) -> Job:
    """Go on with a paused export; raises NotFound, Conflict."""
    with recorded(rooms.ledger, caller, "export:resume", export=job_id):
        job = _own(rooms, caller, job_id, Permission.EXPORT_CHANGE)
        return exports_of(rooms).store.change(job.id, "queued", ("paused",))


def _own(rooms: Rooms, caller: Caller, job_id: str, permission: Permission) -> Job:
    rooms.access.require(caller.principal, permission)
    job = exports_of(rooms).store.get(job_id)
    if job.principal != caller.principal.id:
        raise NotFound(f"There is no export {job_id[:40]!r}.")  # in the very words for one that is not there
    return job


def _submitted(
    rooms: Rooms, exports: Exports, caller: Caller, ask: ExportAsk, rows: Rows, key: tuple[str | None, str]
) -> Job:
    job_id = new_name(exports)
    try:
        if rows.decisions is None:
            path = _file(rooms, rows, exports.uploads(job_id))
        else:
            folder = exports.uploads(job_id)
            path, told = write_rows(rooms, caller, ask.model, rows.decisions, folder, MOST_DECISIONS)
            ask = asked_of(ask, told)
        spec, total = spec_of(rooms, caller, ask, [str(path)], pooled=True)
        waiting = new_job(caller, spec, total, ask.priority, job_id)
        job = exports.store.submit(waiting, idempotency=key[0], request=key[1])
    except BaseException:
        exports.folder(job_id).remove()
        raise
    if job.id != job_id:
        exports.folder(job_id).remove()
    return job


def new_name(exports: Exports) -> str:
    """The id of a new export, whose folder is made."""
    job_id = new_id()
    exports.folder(job_id).prepare()
    return job_id


def _file(rooms: Rooms, rows: Rows, folder: Path) -> Path:
    """Where the rows lie: the file that is named, or one that is written here."""
    if rows.file is not None:
        return _named_file(rooms.settings.export_inputs, rows.file)
    path = folder / f"rows.{rows.ending}"
    try:
        folder.mkdir(parents=True, mode=0o700)
        with path.open("wb") as file:
            file.write(rows.sent)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageFailed(f"The rows could not be kept: {error.strerror}. Try again later.") from error
    return path


def _named_file(folder: Path | None, name: str) -> Path:
    if folder is None:
        raise InvalidOption("file: this service reads no files by name (EXPLAINER_EXPORT_INPUTS); send the rows.")
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents or not path.is_file():
        raise InvalidOption(f"file: there is no file {name[:100]!r} in the folder for exports.")
    return path


def _check_key(idempotency: str | None) -> None:
    if idempotency is not None and not (1 <= len(idempotency) <= LONGEST_KEY and idempotency.isprintable()):
        raise InvalidOption(f"Idempotency-Key: send 1 to {LONGEST_KEY} printable characters.")


def _known(exports: Exports, caller: Caller, idempotency: str | None, request: str) -> Job | None:
    if idempotency is None:
        return None
    return exports.store.earlier(caller.principal.id, idempotency, request)


def _check_quota(exports: Exports, rooms: Rooms, caller: Caller) -> None:
    who, settings = caller.principal.id, rooms.settings
    if exports.store.open_count(who) >= settings.export_open_jobs:
        raise TooManyRequests(
            f"{settings.export_open_jobs} exports of yours are open; wait for one to end, or remove one.",
            retry_after_s=60,
        )
    since = time.time() - DAY_S
    rows = sum(job.progress.rows for job in exports.store.latest(who, 1000) if job.created >= since)
    if rows >= settings.export_daily_rows:
        raise TooManyRequests(
            f"Your exports have read {rows:,} rows in 24 hours; {settings.export_daily_rows:,} are allowed.",
            retry_after_s=3600,
        )


def _digest_of(path: Path) -> str:
    """By the manifest; the manifest and its signature are digested here."""
    try:
        if path.name in (MANIFEST, SIGNATURE):
            return hashlib.sha256(path.read_bytes()).hexdigest()
        files = orjson.loads((path.parent / MANIFEST).read_bytes())["files"]
        return next(str(file["sha256"]) for file in files if file["name"] == path.name)
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise StorageFailed(f"The files of this export cannot be read: {error}. Have them looked at.") from error
