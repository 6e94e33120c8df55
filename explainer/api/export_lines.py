"""An export as the API tells it, and the answer of a request that became one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, g, url_for

from explainer.api.render import json_response
from explainer.exports.jobs import Job
from explainer.usecases.exports import files_of_export


def accepted(job: Job) -> Response:
    """202 with where to look: the answer of whatever was turned into an export."""
    response = json_response({"request_id": g.request_id, "export": export_line(job)}, 202)
    response.headers["Location"] = url_for("exports.show", id=job.id)
    response.headers["Retry-After"] = "2"
    return response


def export_line(job: Job) -> dict[str, Any]:
    """An export as the API tells it."""
    spec = job.spec
    return {
        "id": job.id,
        "state": job.state,
        "model": {"name": spec.model, "version": spec.version, "digest": spec.digest},
        "format": spec.output,
        "form": spec.form,
        "where": spec.where,
        "decisions": spec.decisions,
        "priority": job.priority,
        "created_at": _time(job.created),
        "started_at": _time(job.started),
        "ended_at": _time(job.ended),
        "expires_at": _time(job.expires),
        "progress": _progress(job),
        "error": job.error,
        "files": [
            {"name": name, "href": url_for("exports.download", id=job.id, file=name)} for name in files_of_export(job)
        ],
    }


def _progress(job: Job) -> dict[str, Any]:
    progress, running = job.progress, job.state == "running"
    rate = progress.rows / job.seconds if job.seconds > 0 and progress.rows else None
    share = None if not progress.total else min(progress.read / progress.total, 1.0)
    left = job.seconds * (1 - share) / share if running and share and job.seconds else None
    return {
        "rows": progress.rows,
        "explained": progress.explained,
        "rejected": progress.rejected,
        "skipped": progress.skipped,
        "share": share,
        "rows_per_second": rate,
        "seconds_left": left,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
