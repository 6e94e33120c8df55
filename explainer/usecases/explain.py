"""Why did the model say that? Rows go in with a model's name; reasons, their error and a receipt come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.disclosure.policy import disclose
from explainer.errors import TooLarge
from explainer.records import ExplainOptions, Explanation, FloatArray, ModelVersion, OpenReport
from explainer.registry.rows import code_rows, row_values
from explainer.usecases.answering import answer_rows
from explainer.usecases.guarding import charged, policy, spent
from explainer.usecases.keeping import About, receipts_for
from explainer.usecases.options import check_options
from explainer.usecases.recording import Note, recorded
from explainer.usecases.reference import background_note, with_background
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

EVENT = "explanation:create"


@dataclass(frozen=True, slots=True)
class ExplainAsk:
    model: str
    instances: Any
    options: ExplainOptions
    version: str | None = None
    background: Any = None  # rows that the request brings as its background; None: as `options` says
    subject: str | None = None  # the caller's reference of whom all rows are about, by which receipts can be erased


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be answered: coded rows of shape (rows, features), options with their background."""

    version: ModelVersion
    rows: FloatArray
    options: ExplainOptions
    report: OpenReport


@dataclass(frozen=True, slots=True)
class Explained:
    """What was answered. `items` is what this reader may see by the `policy`; `full` is kept for pages that draw it.

    `receipts` and `hits` (whether the answer was known) are of each row, `facts` what the ledger is told.
    """

    asked: Admitted
    items: list[dict[str, Any]]
    full: list[tuple[Explanation, ...]]
    receipts: list[str]
    hits: list[bool]
    facts: Note
    policy: Policy
    charged: tuple[bytes, ...] = ()  # what names the rows that a budget was charged for

    @property
    def version(self) -> ModelVersion:
        return self.asked.version


def explain(rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk) -> Explained:
    """Explain every row of `ask.instances`; raises RequestRefused, ModelFailed, NotReady, Overloaded, StorageFailed."""
    with recorded(rooms.ledger, caller, EVENT, model=ask.model, method=ask.options.method) as note:
        return explained(rooms, serving, caller, ask, note)


def explained(rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk, note: Note) -> Explained:
    """The same inside an entry that is being written: facts go into `note`."""
    with rooms.meters.stage("registry"):
        asked = admitted(rooms, serving, caller, ask, note)
    version, rows, features = asked.version, asked.rows, asked.version.manifest.features
    shows = policy(rooms, caller, version.manifest.name)
    names = charged(rooms, caller, version, rows, asked.options)
    answers = answer_rows(rooms, version, asked.report, rows, asked.options, caller.asking())
    receipts, keep = receipts_for(rooms, caller, About(version, asked.options, ask.subject), rows, answers)
    note.beside.append(keep)
    spent(rooms, caller, version, (a.explanations for a in answers if not a.hit), note)
    hits = [a.hit for a in answers]
    note["hits"], note["first_receipt"] = sum(hits), receipts[0]
    with rooms.meters.stage("disclose"):
        full = [a.explanations for a in answers]
        values = row_values(features, rows)
        items = [
            {
                "row": i,
                **disclose(e, features, values[i], shows, ask.options.top),
                "cache": "hit" if hits[i] else "miss",
                "receipt": receipts[i],
            }
            for i, row in enumerate(full)
            for e in row
        ]
    rooms.extraction.explained(caller.principal, version, rows, full)
    return Explained(asked, items, full, receipts, hits, note, shows, names)


def admitted(
    rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk, note: Note, most: int | None = None
) -> Admitted:
    """Who may, which version, are the rows (at most `most`, default: as the settings say) and the options valid?"""
    version = entitled(rooms, caller, ask.model, ask.version)
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


def entitled(rooms: Rooms, caller: Caller, model: str, version: str | None) -> ModelVersion:
    """The version that answers, for whoever may have its explanations; asked at every request, known or not."""
    rooms.access.require(caller.principal, Permission.EXPLANATION_CREATE, model)
    return rooms.registry.serve(model, version)


def check_count(instances: Any, limit: int) -> None:
    if isinstance(instances, list) and len(instances) > limit:
        raise TooLarge(f"instances: {len(instances)} rows were sent, at most {limit} are answered in one request.")
