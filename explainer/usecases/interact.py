"""Which features act together? Rows go in with a model's name; the leading pairs and their error come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from explainer.cache.key import canonical
from explainer.disclosure.levels import require_whole
from explainer.disclosure.pairs import disclose_pairs
from explainer.errors import TooLarge
from explainer.records import Interactions, ModelVersion
from explainer.usecases.explain import ExplainAsk, admitted
from explainer.usecases.guarding import charged, policy, spent
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

USUAL_TOP = 20
MOST_ROWS = 100  # sampling takes thousands of model rows for each
MOST_NUMBERS = 2_000_000  # entries of all matrices that one answer of a worker holds


@dataclass(frozen=True, slots=True)
class Interacted:
    """What was answered: `items` is what this reader may see, `full` the whole matrices."""

    version: ModelVersion
    items: list[dict[str, Any]]
    full: list[tuple[Interactions, ...]]


def interact(rooms: Rooms, serving: Served, caller: Caller, ask: ExplainAsk) -> Interacted:
    """Interactions of every row; nothing is cached and no receipt is kept. Raises as `explain` does."""
    method, top = ask.options.method, ask.options.top or USUAL_TOP
    with recorded(rooms.ledger, caller, "interaction:create", model=ask.model, method=method) as note:
        of_any_method = replace(ask, options=replace(ask.options, method="auto"))  # theirs are not those of `explain`
        asked = admitted(rooms, serving, caller, of_any_method, note, MOST_ROWS)
        features, shows = asked.version.manifest.features, policy(rooms, caller, ask.model)
        require_whole(shows, "Interactions")
        charged(rooms, caller, asked.version, asked.rows, asked.options)
        _check_size(len(asked.rows), len(features))
        options = replace(asked.options, method=method, top=None)
        full = rooms.workers.interact(asked.version.digest, canonical(asked.rows), options, caller.asking())
        spent(rooms, caller, asked.version, full, note)
        items = [{"row": i, **disclose_pairs(e, features, shows, top)} for i, row in enumerate(full) for e in row]
        return Interacted(asked.version, items, full)


def _check_size(rows: int, features: int) -> None:
    if rows * features**2 > MOST_NUMBERS:
        most = MOST_NUMBERS // features**2
        raise TooLarge(f"instances: {rows} rows of {features} features were sent, at most {most} are answered at once.")
