"""Why did the model say that? Rows go in with a model's name; reasons, their error and a receipt come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.permissions import Permission
from explainer.disclosure.policy import disclose
from explainer.errors import TooLarge
from explainer.records import ExplainOptions, Explanation, FloatArray, ModelVersion, OpenReport
from explainer.registry.rows import code_rows, uncode_rows
from explainer.usecases.answering import answer_rows
from explainer.usecases.keeping import keep_receipts
from explainer.usecases.options import check_options
from explainer.usecases.recording import Note, recorded
from explainer.usecases.reference import background_note, with_background
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Serving


@dataclass(frozen=True, slots=True)
class ExplainAsk:
    model: str
    instances: Any
    options: ExplainOptions
    version: str | None = None
    background: Any = None  # rows that the request brings as its background; None: as `options` says


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be answered: coded rows of shape (rows, features), options with their background."""

    version: ModelVersion
    rows: FloatArray
    options: ExplainOptions
    report: OpenReport


@dataclass(frozen=True, slots=True)
class Explained:
    """What was answered. `items` is what this reader may see; `full` is kept for pages that draw it."""

    version: ModelVersion
    rows: FloatArray
    items: list[dict[str, Any]]
    full: list[tuple[Explanation, ...]]


def explain(rooms: Rooms, serving: Serving, caller: Caller, ask: ExplainAsk) -> Explained:
    """Explain every row of `ask.instances`; raises RequestRefused, ModelFailed, NotReady, Overloaded, StorageFailed."""
    with recorded(rooms.ledger, caller, "explanation:create", model=ask.model, method=ask.options.method) as note:
        return explained(rooms, serving, caller, ask, note)


def explained(rooms: Rooms, serving: Serving, caller: Caller, ask: ExplainAsk, note: Note) -> Explained:
    """The same inside an entry that is being written: facts go into `note`."""
    asked = admitted(rooms, serving, caller, ask, note)
    version, rows, features = asked.version, asked.rows, asked.version.manifest.features
    answers = answer_rows(rooms, version, asked.report, rows, asked.options)
    receipts = keep_receipts(rooms, caller, version, asked.options, rows, answers)
    note["hits"], note["first_receipt"] = sum(a.hit for a in answers), receipts[0]
    full = [a.explanations for a in answers]
    values = [list(row.values()) for row in uncode_rows(features, rows)]
    items = [
        {
            "row": i,
            **disclose(e, features, values[i], caller.principal.role, ask.options.top),
            "cache": "hit" if answers[i].hit else "miss",
            "receipt": receipts[i],
        }
        for i, row in enumerate(full)
        for e in row
    ]
    return Explained(version, rows, items, full)


def admitted(
    rooms: Rooms, serving: Serving, caller: Caller, ask: ExplainAsk, note: Note, most: int | None = None
) -> Admitted:
    """Who may, which version, are the rows (at most `most`, default: as the settings say) and the options valid?"""
    rooms.access.require(caller.principal, Permission.EXPLANATION_CREATE, ask.model)
    version = rooms.registry.serve(ask.model, ask.version)
    features = version.manifest.features
    note["version"], note["digest"] = version.manifest.version, version.digest
    check_count(ask.instances, rooms.settings.max_rows if most is None else min(most, rooms.settings.max_rows))
    rows = code_rows(features, ask.instances)
    options = with_background(ask.options, features, ask.background)
    note.update(background_note(options))
    report = serving.opened(version)
    check_options(options, version.manifest, report)
    note["rows"] = len(rows)
    return Admitted(version, rows, options, report)


def check_count(instances: Any, limit: int) -> None:
    if isinstance(instances, list) and len(instances) > limit:
        raise TooLarge(f"instances: {len(instances)} rows were sent, at most {limit} are answered in one request.")
