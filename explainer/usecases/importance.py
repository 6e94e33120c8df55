"""Which features matter over many rows? Their attributions together, with an error, and every point of a beeswarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.disclosure.importance import disclose_importance
from explainer.disclosure.levels import require_whole
from explainer.records import Explanation, ModelVersion
from explainer.registry.rows import uncode_rows
from explainer.usecases.answering import answer_rows
from explainer.usecases.explain import ExplainAsk, admitted
from explainer.usecases.guarding import charged, policy, spent
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served


@dataclass(frozen=True, slots=True)
class Ranked:
    """What was answered: `items` has one entry for each class explained."""

    version: ModelVersion
    items: list[dict[str, Any]]


def importance(rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk, *, points: bool = False) -> Ranked:
    """Explain every row, by way of the cache, and summarise; no receipt is kept. Raises as `explain` does."""
    method = ask.options.method
    with recorded(rooms.ledger, caller, "importance:create", model=ask.model, method=method) as note:
        asked = admitted(rooms, serving, caller, ask, note)
        shows = policy(rooms, caller, ask.model)
        require_whole(shows, "Importances")
        charged(rooms, caller, asked.version, asked.rows, asked.options)
        answers = answer_rows(rooms, asked.version, asked.report, asked.rows, asked.options, caller.asking())
        note["hits"] = sum(a.hit for a in answers)
        found = [a.explanations for a in answers]
        rooms.extraction.explained(caller.principal, asked.version, asked.rows, found)
        spent(rooms, caller, asked.version, (a.explanations for a in answers if not a.hit), note)
        classes: dict[str | None, dict[int, Explanation]] = {}
        for i, answer in enumerate(answers):
            for explanation in answer.explanations:
                classes.setdefault(explanation.class_name, {})[i] = explanation
        features = asked.version.manifest.features
        values = [list(row.values()) for row in uncode_rows(features, asked.rows)]
        items = [
            disclose_importance(found, features, values if points else None, shows, asked.options)
            for found in classes.values()
        ]
        return Ranked(asked.version, items)
