"""Routes of exports: many rows, explained in the background, downloaded as files."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from flask import Response, g, request, send_file
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import RawModel
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explainer.access.permissions import Permission
from explainer.api.export_lines import accepted, export_line
from explainer.api.guard import admit_bearer, caller, house
from explainer.api.models import PROBLEM
from explainer.api.problems import refuse_settings
from explainer.api.render import json_response
from explainer.api.requests import Background, Name, VersionName
from explainer.errors import InvalidOption, UnsupportedMedia
from explainer.exports.jobs import Job
from explainer.records import ExplainOptions
from explainer.usecases.admit import needs
from explainer.usecases.exports import (
    Rows,
    export_file,
    find_exports,
    lines_of,
    pause_export,
    remove_export,
    resume_export,
    show_export,
    submit,
)
from explainer.usecases.exports_decisions import DecisionQuery
from explainer.usecases.exports_spec import ExportAsk

ENDINGS = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}
MIMETYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".html": "text/html",
    ".sig": "text/plain",
}
OPTIONS = ("method", "output", "class_name", "top", "tolerance", "separate", "max_evaluations", "seed")

blueprint = APIBlueprint(
    "exports",
    __name__,
    url_prefix="/api/v1/exports",
    abp_tags=[Tag(name="exports", description="Many rows, explained in the background")],
    abp_security=[{"key": []}],
    abp_responses=PROBLEM,
)
blueprint.before_request(admit_bearer)


class ExportSettings(BaseModel):
    """What is explained, how, and what is written; in the query where the body is a file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    model: Name
    version: VersionName | None = None
    method: str = Field("auto", max_length=64, description="auto, shap, lime, or a method's own name")
    output: Literal["probability", "log_odds", "raw"] | None = Field(None, description="The output space")
    class_name: str | None = Field(None, alias="class", max_length=256, description="Which class; `all`: every one")
    top: int | None = Field(None, ge=1, le=10_000, description="Only so many leading features, the rest as one sum")
    tolerance: float | None = Field(None, gt=0, lt=1e300, description="Largest half-width of the confidence interval")
    separate: int | None = Field(None, ge=1, le=10_000, description="Leading features whose order is beyond doubt")
    max_evaluations: int | None = Field(None, ge=1, le=100_000_000, description="Most model rows for one row")
    seed: int | None = Field(None, ge=0, lt=2**63, description="Default: derived from model, background, row, settings")
    format: Literal["jsonl", "csv", "parquet"] = Field("jsonl", description="What is written")
    form: Literal["wide", "long"] = Field("wide", description="long: one row for each feature")
    carry: list[str] = Field([], max_length=100, description="Columns that are no features, to be carried along")
    ignore: list[str] = Field([], max_length=1000, description="Columns that are no features; `*`: all such")
    where: str | None = Field(None, max_length=100, description='adverse, favourable, or "prediction >= 0.7"')
    stop_on_reject: bool = Field(False, description="Stop at the first row that does not fit")
    priority: int = Field(0, ge=-10, le=10, description="Higher ones are computed first")
    delimiter: str = Field(",", description="What separates the cells of a CSV")
    encoding: str = Field("utf-8", max_length=40, description="Encoding of text")

    def ask(self, background: Any = None) -> ExportAsk:
        options = ExplainOptions(**{name: getattr(self, name) for name in OPTIONS})
        return ExportAsk(
            model=self.model,
            options=options,
            version=self.version,
            background=background,
            output=self.format,
            form=self.form,
            carry=tuple(self.carry),
            ignore=tuple(self.ignore),
            where=self.where,
            stop_on_reject=self.stop_on_reject,
            priority=self.priority,
            delimiter=self.delimiter,
            encoding=self.encoding,
        )


class StoredDecisions(BaseModel):
    """Which decisions of the model; `since` is included, `until` is not, UTC where no zone is said."""

    model_config = ConfigDict(extra="forbid", strict=True)
    show: str = Field("all", max_length=20, description="waiting, decided, all, or one status")
    flag: str | None = Field(None, max_length=40, description="Only those with this flag")
    adverse: bool | None = Field(None, description="Only adverse ones, or only others")
    since: str | None = Field(None, max_length=40, description="A date or time")
    until: str | None = Field(None, max_length=40, description="A date or time")
    version: VersionName | None = Field(None, description="Only those that this version decided")


class ExportBody(ExportSettings):
    """The same in JSON, with the rows, or the name of a file in the folder for exports."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)
    instances: list[Any] | None = Field(None, description="Rows, as objects by feature name or arrays in schema order")
    file: str | None = Field(None, min_length=1, max_length=255, description="A file in EXPLAINER_EXPORT_INPUTS")
    decisions: StoredDecisions | None = Field(None, description="Decisions that are kept here, instead of rows")
    background: Background = "default"


class ExportUpload(RawModel):
    """JSON with the settings and rows, or a file as it is with the settings in the query."""

    mimetypes = ["application/json", *ENDINGS]  # noqa: RUF012  the library's own form


class ExportPath(BaseModel):
    id: Annotated[str, Field(pattern=r"^exp_[0-9A-Z]{26}$", description="An export's id")]


PARTS = {200: "The file", 206: "The part of it that was asked for", 304: "It is as the reader has it"}


class FilePath(ExportPath):
    file: Annotated[str, Field(pattern=r"^[a-z][a-z.]{0,63}$", description="One of the export's files")]


class ExportProgress(BaseModel):
    rows: int
    explained: int
    rejected: int
    skipped: int
    share: float | None
    rows_per_second: float | None
    seconds_left: float | None


class ExportItem(BaseModel):
    id: str
    state: Literal["queued", "running", "paused", "done", "failed", "cancelled", "expired"]
    model: dict[str, str]
    format: str
    form: str
    where: str | None
    decisions: dict[str, Any] | None
    priority: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    expires_at: str | None
    progress: ExportProgress
    error: str | None
    files: list[dict[str, str]]


class ExportAnswer(BaseModel):
    request_id: str
    export: ExportItem


class ExportsAnswer(BaseModel):
    request_id: str
    exports: list[ExportItem]


@blueprint.post("", responses={202: ExportAnswer}, summary="Explain many rows in the background")
@needs(Permission.EXPORT_CREATE)
def create(raw: ExportUpload) -> Response:
    key = request.headers.get("Idempotency-Key")
    try:
        ask, rows = _sent() if request.mimetype in ENDINGS else _described()
    except ValidationError as error:
        refuse_settings(error)
        raise
    return accepted(submit(house().rooms, caller(), ask, rows, key))


@blueprint.get("", responses={200: ExportsAnswer}, summary="Your exports, newest first")
@needs(Permission.EXPORT_READ)
def list_all() -> Response:
    found = find_exports(house().rooms, caller())
    return json_response({"request_id": g.request_id, "exports": [export_line(job) for job in found]})


@blueprint.get("/<id>", responses={200: ExportAnswer}, summary="How far an export is")
@needs(Permission.EXPORT_READ)
def show(path: ExportPath) -> Response:
    return _line(show_export(house().rooms, caller(), path.id))


@blueprint.get(
    "/<id>/files/<file>",
    responses={status: {"description": told, "content": {"*/*": {}}} for status, told in PARTS.items()},
    summary="A file of a finished export; ranges can be asked for",
)
@needs(Permission.EXPORT_READ)
def download(path: FilePath) -> Response:
    found, digest = export_file(house().rooms, caller(), path.id, path.file)
    response = send_file(
        found,
        mimetype=MIMETYPES[found.suffix],
        as_attachment=True,
        download_name=f"{path.id}-{found.name}",
        conditional=True,
        etag=digest,
    )
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.delete("/<id>", responses={200: ExportAnswer}, summary="Cancel an export, or remove its files")
@needs(Permission.EXPORT_CHANGE)
def remove(path: ExportPath) -> Response:
    return _line(remove_export(house().rooms, caller(), path.id))


@blueprint.post("/<id>/pause", responses={200: ExportAnswer}, summary="Stop after the rows that are under way")
@needs(Permission.EXPORT_CHANGE)
def pause(path: ExportPath) -> Response:
    return _line(pause_export(house().rooms, caller(), path.id))


@blueprint.post("/<id>/resume", responses={200: ExportAnswer}, summary="Go on with a paused export")
@needs(Permission.EXPORT_CHANGE)
def resume(path: ExportPath) -> Response:
    return _line(resume_export(house().rooms, caller(), path.id))


def _described() -> tuple[ExportAsk, Rows]:
    body = ExportBody.model_validate(request.get_json())
    if sum(given is not None for given in (body.instances, body.file, body.decisions)) != 1:
        raise InvalidOption("instances: send one of `instances`, `file` and `decisions`.")
    background = None if isinstance(body.background, str) else body.background["rows"]
    ask = body.ask(background)
    if body.decisions is not None:
        return ask, Rows(decisions=DecisionQuery(**body.decisions.model_dump()))
    return ask, Rows(file=body.file) if body.file is not None else Rows(lines_of(body.instances))


def _sent() -> tuple[ExportAsk, Rows]:
    given: dict[str, Any] = request.args.to_dict()
    given |= {name: request.args.getlist(name) for name in ("carry", "ignore") if name in given}
    data = request.get_data(cache=False)
    if request.content_encoding:
        raise UnsupportedMedia("Content-Encoding: send the file as it is, not packed.")
    return ExportSettings.model_validate(given).ask(), Rows(data, ENDINGS[request.mimetype])


def _line(job: Job) -> Response:
    return json_response({"request_id": g.request_id, "export": export_line(job)})
