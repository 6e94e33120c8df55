"""May this be exported, and as what exactly? Everything that an export depends on is fixed here, at its submission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from explainer.access.permissions import Permission
from explainer.disclosure.levels import require_whole
from explainer.errors import InvalidOption, InvalidRows, NotPermitted
from explainer.exports.cutting import cut, total_of
from explainer.exports.layout import check_carried
from explainer.exports.spec import DECISIONS, Form, Output, Source, Spec, check_rule
from explainer.exports.summary import bins_of
from explainer.records import ExplainOptions, Feature, Manifest, ModelVersion, OpenReport
from explainer.usecases.exports_rows import Reader
from explainer.usecases.guarding import policy
from explainer.usecases.options import check_options
from explainer.usecases.reference import with_background
from explainer.usecases.rooms import Caller, Rooms

FAST, SLOW = 5000, 100  # rows of a chunk: where values are read from tables, and where the model is evaluated
POOLED = 1000  # where every row comes back as a record of its own


@dataclass(frozen=True, slots=True)
class ExportAsk:
    """What is asked for; `decisions`: what is told of the rows where they are stored decisions."""

    model: str
    options: ExplainOptions = field(default_factory=ExplainOptions)
    version: str | None = None
    background: Any = None
    output: Output = "jsonl"
    form: Form = "wide"
    carry: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    where: str | None = None
    stop_on_reject: bool = False
    priority: int = 0
    delimiter: str = ","
    encoding: str = "utf-8"
    chunk_rows: int | None = None
    decisions: dict[str, Any] | None = None


def spec_of(rooms: Rooms, caller: Caller, ask: ExportAsk, files: Sequence[str], *, pooled: bool) -> tuple[Spec, int]:
    """The export that `ask` describes, and how large its input is; `pooled`: the service's workers will explain it.

    Looks at the first records of every file, so that a wrong header is refused before anything begins. Raises
    NotPermitted, NotFound, Conflict, InvalidOption, InvalidRows.
    """
    version, options = asked(rooms, caller, ask)
    manifest, shows = version.manifest, policy(rooms, caller, ask.model)
    source = Source(tuple(files), ask.delimiter, ask.encoding)
    report = rooms.registry.report(version)
    given = [n for n in (options.top, shows.most) if n is not None]
    spec = Spec(
        model=manifest.name,
        version=manifest.version,
        digest=version.digest,
        background=manifest.background.sha256,
        source=source,
        options=replace(options, top=min(given) if given else None),
        output=ask.output,
        form=ask.form,
        carry=ask.carry,
        ignore=ask.ignore,
        where=ask.where,
        stop_on_reject=ask.stop_on_reject,
        chunk_rows=ask.chunk_rows or chunk_rows(manifest, report, options, pooled=pooled),
        values=shows.values,
        bins=bins_of(rooms.registry.background(version), [_codes(f) for f in manifest.features]),
        decisions=ask.decisions,
    )
    _look_at(spec, manifest.features)
    return spec, total_of(source)


def asked(rooms: Rooms, caller: Caller, ask: ExportAsk) -> tuple[ModelVersion, ExplainOptions]:
    """The version, and the options with their background; raises as `spec_of` does but for the files."""
    rooms.access.require(caller.principal, Permission.EXPORT_CREATE, ask.model)
    require_whole(policy(rooms, caller, ask.model), "Exports")
    if not rooms.budgets.limits(caller.principal, ask.model).none:
        raise NotPermitted(
            "Exports are not counted row by row, and this principal has a budget for this model. "
            "Ask for rows in requests, or have the budget lifted: explainer budgets set --help."
        )
    version = rooms.registry.serve(ask.model, ask.version)
    manifest = version.manifest
    options = with_background(ask.options, manifest.features, ask.background)
    check_options(options, manifest, rooms.registry.report(version))
    if options.deadline_ms is not None:
        raise InvalidOption("deadline_ms: an export has no deadline, its rows would depend on the clock; leave it out.")
    check_carried([name for name in ask.carry])
    names = {feature.name for feature in manifest.features}
    if both := sorted(names & set(ask.carry)):
        raise InvalidOption(f"carry: {both[0]!r} is a feature; its value is in the output already.")
    if len(set(ask.carry)) != len(ask.carry):
        raise InvalidOption("carry: a column is named twice.")
    if len(ask.delimiter.encode()) != 1 or ask.delimiter in '"\r\n':
        raise InvalidOption(f"delimiter: {ask.delimiter[:10]!r} is not possible; it is one character, for example ';'.")
    _check_rule(ask.where, manifest)
    return version, options


def chunk_rows(manifest: Manifest, report: OpenReport, options: ExplainOptions, *, pooled: bool) -> int:
    """Rows of a chunk. The output does not depend on it; what is lost when a worker is killed does."""
    margin = manifest.task == "regression" or (options.output or manifest.output) in ("raw", "log_odds")
    by_table = options.method in ("auto", "shap", "tree", "linear") and report.structure != "none" and margin
    return (POOLED if pooled else FAST) if by_table else SLOW


def _check_rule(where: str | None, manifest: Manifest) -> None:
    check_rule(where)
    if where in DECISIONS and manifest.decision is None:
        raise InvalidOption(f"where: the manifest of {manifest.name} has no [decision], so nothing is {where}.")


def _look_at(spec: Spec, features: tuple[Feature, ...]) -> None:
    if not spec.source.files:
        raise InvalidRows("There is no file to read; give a .csv, .jsonl or .parquet file, or a folder of such.")
    reader = Reader(features, spec)
    for file in spec.source.files:
        first = next(cut(replace(spec.source, files=(file,)), 1), None)
        if first is not None and first.kind != "jsonl":
            reader.check_header(first.file, first.header)


def _codes(feature: Feature) -> int:
    return 2 if feature.type == "boolean" else len(feature.categories)
