"""Pages of one's own exports: start one from a table, watch it, and take its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, InvalidRows, RequestRefused
from explainer.exports.jobs import OPEN, Job
from explainer.exports.spec import Form, Output
from explainer.records import ExplainOptions
from explainer.usecases.admit import needs
from explainer.usecases.exports import (
    Rows,
    export_file,
    find_exports,
    pause_export,
    remove_export,
    resume_export,
    submit,
)
from explainer.usecases.exports_files import show_files
from explainer.usecases.exports_spec import ExportAsk
from explainer.usecases.recording import record_refusal
from webui.session import caller, rooms

METHODS = {"auto": "Shapley values", "lime": "LIME"}
OUTPUTS: dict[str, str] = {"jsonl": "JSON lines", "csv": "CSV", "parquet": "Parquet"}
WHERE = {"": "every row", "adverse": "rows with the adverse outcome", "favourable": "rows with the favourable outcome"}
MIMETYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".json": "application/json", ".html": "text/html"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is: `share` from 0 to 1, rows in a second and seconds left where they can be told."""

    share: float | None
    rate: float | None
    left: float | None


@needs(Permission.EXPORT_READ)
def list_exports() -> str:
    found = find_exports(rooms(), caller())
    return render_template("exports.html", jobs=found, when=when)


@needs(Permission.EXPORT_CREATE)
def new_export() -> BaseResponse:
    """GET shows the form, POST starts an export of the table that was sent."""
    if request.method == "POST":
        try:
            job = submit(rooms(), caller(), *_sent())
        except RequestRefused as error:
            record_refusal(rooms().ledger, caller(), "export:create", error.code)
            return make_response(_form(error), error.status)
        return redirect(url_for("webui.show_export_page", export_id=job.id), 303)
    return make_response(_form(None))


@needs(Permission.EXPORT_READ)
def show_export_page(export_id: str) -> str:
    """How far it is, or what came of it."""
    found = show_files(rooms(), caller(), export_id)
    told = {"job": found.job, "files": found.files, "progress": progress_of(found.job, found.rows)}
    return render_template("export.html", when=when, is_open=OPEN, **told)


@needs(Permission.EXPORT_READ)
def export_progress(export_id: str) -> dict[str, Any]:
    """What the page's script asks now and then; JSON."""
    state = show_files(rooms(), caller(), export_id)
    job, found = state.job, progress_of(state.job, state.rows)
    return {
        "state": job.state,
        "open": job.state in OPEN,
        "share": found.share,
        "rows": job.progress.rows,
        "explained": job.progress.explained,
        "rejected": job.progress.rejected,
        "skipped": job.progress.skipped,
        "rate": found.rate,
        "left": found.left,
    }


@needs(Permission.EXPORT_READ)
def export_download(export_id: str, file: str) -> Response:
    found, digest = export_file(rooms(), caller(), export_id, file)
    kind = MIMETYPES.get(found.suffix, "application/octet-stream")
    name = f"{export_id}-{found.name}"
    return send_file(found, mimetype=kind, as_attachment=True, download_name=name, conditional=True, etag=digest)


@needs(Permission.EXPORT_CHANGE)
def change_export(export_id: str, step: str) -> BaseResponse:
    """`step` is pause, resume or remove."""
    steps = {"pause": pause_export, "resume": resume_export, "remove": remove_export}
    if step not in steps:
        raise InvalidOption(f"step: choose one of: {', '.join(steps)}.")
    steps[step](rooms(), caller(), export_id)
    return redirect(url_for("webui.show_export_page", export_id=export_id), 303)


def progress_of(job: Job, rows: int | None = None) -> Progress:
    """Of `rows`, or of the input that is read where they are not known; over all starts of the export."""
    done, running = job.progress, job.state == "running"
    counted = (done.rows, rows) if rows else (done.read, done.total)
    share = None if not counted[1] else min(counted[0] / counted[1], 1.0)
    rate = done.rows / job.seconds if job.seconds > 0 and done.rows else None
    return Progress(share, rate, job.seconds * (1 - share) / share if running and share and job.seconds else None)


def when(seconds: float | None) -> str:
    return "–" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _sent() -> tuple[ExportAsk, Rows]:
    form = request.form
    file = request.files.get("table")
    data = file.read() if file is not None else b""
    if not data:
        raise InvalidRows("table: choose a CSV file with a header and at least one row.")
    ask = ExportAsk(
        model=form.get("model", ""),
        options=ExplainOptions(method=_one_of("method", tuple(METHODS), "auto")),
        version=form.get("version") or None,
        output=_one_of("output", get_args(Output), "jsonl"),
        form=_one_of("form", get_args(Form), "wide"),
        where=_one_of("where", tuple(WHERE), "") or None,
        carry=_columns("carry"),
        ignore=("*",) if form.get("ignore") == "all" else (),
        delimiter=form.get("delimiter") or ",",
    )
    return ask, Rows(data, "csv")


def _one_of(field: str, known: tuple[str, ...], usual: str) -> Any:
    text = request.form.get(field, usual)
    if text not in known:
        raise InvalidOption(f"{field}: choose one of: {', '.join(k for k in known if k)}.")
    return text


def _columns(field: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in request.form.get(field, "").split(",") if name.strip())


def _form(error: RequestRefused | None) -> str:
    who, access = caller().principal, rooms().access
    given = request.form.get("model") or request.args.get("model")
    return render_template(
        "export_new.html",
        models=[n for n in rooms().registry.names() if access.may(who, Permission.EXPORT_CREATE, n)],
        chosen=given,
        error=error,
        given=request.form,
        methods=METHODS,
        outputs=OUTPUTS,
        where=WHERE,
        most=rooms().settings.max_body_bytes,
    )


def add_routes(blueprint: Blueprint) -> None:
    one = "/exports/<export_id>"
    blueprint.add_url_rule("/exports", view_func=list_exports)
    blueprint.add_url_rule("/exports/new", view_func=new_export, methods=["GET", "POST"])
    blueprint.add_url_rule(one, view_func=show_export_page)
    blueprint.add_url_rule(f"{one}/progress", view_func=export_progress)
    blueprint.add_url_rule(f"{one}/files/<file>", view_func=export_download)
    blueprint.add_url_rule(f"{one}/<step>", view_func=change_export, methods=["POST"])
