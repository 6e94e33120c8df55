"""What if a value were another, what would change the outcome, and how does the row stand among others?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from explainer.cache.key import canonical
from explainer.errors import InvalidOption, InvalidRows, NotPermitted, Problem
from explainer.records import DecisionSpec, ExplainOptions, Explanation, FloatArray, ModelVersion
from explainer.registry.rows import code_rows, uncode_rows
from explainer.reviews.counterfactuals import Found, Limits, search
from explainer.reviews.ground import Ground
from explainer.reviews.oracle import Crossed, Predict
from explainer.reviews.similar import COUNT, Similar, summarise
from explainer.reviews.stability import Stability, stability
from explainer.reviews.standing import Standing, stand
from explainer.usecases.deciding import are_adverse, outcome_of, score_of, scores_of
from explainer.usecases.guarding import charged, policy, spent
from explainer.usecases.options import check_options
from explainer.usecases.recording import Note
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served

WHAT_IF, CHANGES, SIMILAR = "decision:what-if", "decision:changes", "decision:similar"  # what entries call them
SOON_MS = 150  # after which sampling stops where the options name no deadline: somebody watches the page
MOST_ROWS = 1000  # background rows whose outcomes are asked for
KEPT = 16  # versions


@dataclass(frozen=True, slots=True)
class Decided:
    """A coded row (features,), the version that decided it, the decision it was held against, and how to explain.

    `decision` None: as the manifest says. The functions that take it are parts of a use case: whoever calls them has
    asked for the permission and holds an open entry of the ledger. Nothing is kept, there is no receipt, and no value
    goes into the entry. They raise NotPermitted unless charts may be drawn for the caller, otherwise as `explain` does.
    """

    version: ModelVersion
    row: FloatArray
    decision: DecisionSpec | None = None
    options: ExplainOptions = field(default_factory=ExplainOptions)

    @property
    def spec(self) -> DecisionSpec:
        """Raises InvalidOption where neither the case nor the model has a decision."""
        spec = self.decision or self.version.manifest.decision
        if spec is None:
            detail = "the model has no [decision] table, so there is no outcome that could change."
            raise InvalidOption(f"{self.version.manifest.name}: {detail}")
        return spec


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The answer for a changed row: coded `row`, its `values` by name, the names of what was `changed`.

    `score` is what is compared with the threshold, `outcome` what it leads to (None without a decision).
    """

    version: ModelVersion
    row: FloatArray
    values: dict[str, Any]
    changed: tuple[str, ...]
    score: float
    outcome: str | None
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Known:
    """Of a version's background: coded `rows`, at most MOST_ROWS, and their `scores`, once they were asked for."""

    ground: Ground
    rows: FloatArray
    scores: FloatArray | None = None


class Memory:
    """What was made of backgrounds, by the digest of their version: the KEPT that were used last. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, rooms: Rooms, version: ModelVersion) -> Known:
        if (known := self._get(version.digest)) is not None:
            return known
        rows = rooms.registry.background(version)
        kept = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.int64)]
        return self._put(version.digest, Known(Ground.of(version.manifest.features, rows), kept))

    def scored(self, rooms: Rooms, caller: Caller, version: ModelVersion) -> tuple[FloatArray, FloatArray]:
        """Background rows (n, features) and their scores (n,): the version's own question, charged to nobody."""
        known = self.of(rooms, version)
        if known.scores is None:
            outputs = rooms.workers.predict(version.digest, canonical(known.rows), caller.asking())
            known = self._put(version.digest, replace(known, scores=scores_of(version.manifest, outputs)))
        assert known.scores is not None
        return known.rows, known.scores

    def _get(self, digest: str) -> Known | None:
        with self._guard:
            if digest in self._known:
                self._known.move_to_end(digest)
            return self._known.get(digest)

    def _put(self, digest: str, known: Known) -> Known:
        with self._guard:
            self._known[digest] = known
            self._known.move_to_end(digest)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            return known


memory = Memory()


def what_if(
    rooms: Rooms, serving: Served, caller: Caller, decided: Decided, changes: Mapping[str, Any], note: Note
) -> WhatIf:
    """Predict and explain the row with `changes`, JSON values by feature name; charged as `explain` charges.

    Raises InvalidRows for values that do not fit the schema, and naming every feature that may not change.
    """
    version = decided.version
    _drawn(rooms, caller, version)
    row, changed = _changed(decided, changes)
    note["changed"] = len(changed)
    options = replace(decided.options, top=None, deadline_ms=decided.options.deadline_ms or SOON_MS)
    check_options(options, version.manifest, serving.opened(version))
    charged(rooms, caller, version, row[None], options)
    outputs = rooms.workers.predict(version.digest, row[None], caller.asking())[0]
    answers = rooms.workers.explain(version.digest, row[None], options, caller.asking())
    spent(rooms, caller, version, answers, note)
    rooms.extraction.explained(caller.principal, version, row[None], answers)
    score = score_of(version.manifest, outputs)
    spec = decided.decision or version.manifest.decision
    values = uncode_rows(version.manifest.features, row[None])[0]
    outcome = None if spec is None else outcome_of(spec, score)
    return WhatIf(version, row, values, changed, score, outcome, answers[0][0])


def outcome_changes(
    rooms: Rooms, serving: Served, caller: Caller, decided: Decided, note: Note, limits: Limits | None = None
) -> Found:
    """Few, plausible and allowed changes that lead to the other outcome; counts what the model evaluated."""
    _drawn(rooms, caller, decided.version)
    predict, crossed = _questions(rooms, serving, caller, decided)
    ground = memory.of(rooms, decided.version).ground
    found = search(decided.row, decided.version.manifest.features, ground, predict, crossed, limits)
    note["evaluations"], note["answers"] = found.evaluations + 1, len(found.answers)
    _count(rooms, caller, decided.version, found.evaluations + 1, note)
    return found


def stable(rooms: Rooms, serving: Served, caller: Caller, decided: Decided, note: Note) -> Stability:
    """Whether the outcome holds under tiny changes of the numbers; counts what the model evaluated."""
    _drawn(rooms, caller, decided.version)
    predict, crossed = _questions(rooms, serving, caller, decided)
    gower = memory.of(rooms, decided.version).ground.gower
    found = stability(decided.row, decided.version.manifest.features, gower, predict, crossed)
    _count(rooms, caller, decided.version, found.evaluations + 1, note)
    return found


def similar_background(
    rooms: Rooms, serving: Served, caller: Caller, decided: Decided, note: Note, count: int = COUNT
) -> Similar:
    """What the nearest background rows have in common, and how many of them get the adverse outcome."""
    _drawn(rooms, caller, decided.version)
    serving.opened(decided.version)
    rows, scores = memory.scored(rooms, caller, decided.version)
    ground = memory.of(rooms, decided.version).ground
    adverse = are_adverse(decided.spec, scores)
    note["neighbours"] = count
    return summarise(decided.row, decided.version.manifest.features, (rows, adverse), ground.gower, count)


def standing(rooms: Rooms, caller: Caller, decided: Decided) -> tuple[Standing, ...]:
    """Where each value of the row lies in the background's distribution."""
    _drawn(rooms, caller, decided.version)
    return stand(decided.row, decided.version.manifest.features, rooms.registry.background(decided.version))


def _drawn(rooms: Rooms, caller: Caller, version: ModelVersion) -> None:
    if not policy(rooms, caller, version.manifest.name).drawn:
        raise NotPermitted(
            "This shows scores and values that this role does not see of this model. An administrator can show them: "
            "explainer policies set ROLE --model MODEL --detail full."
        )


def _changed(decided: Decided, changes: Mapping[str, Any]) -> tuple[FloatArray, tuple[str, ...]]:
    """The coded row with the changes, and the names of those that make a difference."""
    features = decided.version.manifest.features
    before = uncode_rows(features, decided.row[None])[0]
    row = code_rows(features, [{**before, **changes}])[0]
    differs = ~((row == decided.row) | (np.isnan(row) & np.isnan(decided.row)))
    fixed = [f.name for f, other in zip(features, differs, strict=True) if other and not f.mutable]
    if fixed:
        detail = "The model's owner declares that this cannot be changed; leave it as it is."
        named = ", ".join(fixed)
        raise InvalidRows(
            f"{named}: the model's owner declares that this cannot be changed.",
            problems=[Problem(f"changes.{name}", "immutable", detail) for name in fixed],
        )
    return canonical(row[None])[0], tuple(f.name for f, other in zip(features, differs, strict=True) if other)


def _questions(rooms: Rooms, serving: Served, caller: Caller, decided: Decided) -> tuple[Predict, Crossed]:
    """What gives the scores of coded rows, and what says which scores lead to another outcome than the row's own."""
    version, spec = decided.version, decided.spec
    serving.opened(version)
    # No row is charged, but nothing is asked once the evaluations are used up.
    rooms.budgets.charge(caller.principal, version.manifest.name, version.digest, ())

    def predict(rows: FloatArray) -> FloatArray:
        outputs = rooms.workers.predict(version.digest, canonical(rows), caller.asking())
        return scores_of(version.manifest, outputs)

    own = bool(are_adverse(spec, predict(decided.row[None]))[0])
    return predict, lambda scores: are_adverse(spec, scores) != own


def _count(rooms: Rooms, caller: Caller, version: ModelVersion, evaluations: int, note: Note) -> None:
    count = rooms.budgets.spend(caller.principal, version.manifest.name, version.digest, evaluations)
    if count is not None:
        note.beside.append(count)
