"""Which features matter to a model as a whole, and how does each act? For pages: no row of the background leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.disclosure.importance import disclose_importance
from explainer.disclosure.levels import Policy, require_whole
from explainer.errors import NotFound, NotPermitted
from explainer.records import ExplainOptions, Explanation, Feature, FloatArray, ModelVersion
from explainer.registry.rows import row_values
from explainer.usecases.explain import entitled
from explainer.usecases.guarding import policy
from explainer.usecases.insight_points import CELLS, Point, Step, Swarm, steps, swarm
from explainer.usecases.insight_rows import GROUP, Taken, explained_rows, taken
from explainer.usecases.recording import Note, recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served


@dataclass(frozen=True, slots=True)
class InsightAsk:
    """`rows` is background or samples; `output` the space, None for the manifest's."""

    model: str
    version: str | None = None
    rows: str = "background"
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What is shown of a version: `item` as `importance` answers it; no swarms where the role sees no single values."""

    version: ModelVersion
    source: str
    rows: int
    there: int
    item: dict[str, Any]
    swarms: tuple[Swarm, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Dependence:
    """One feature: bands with their means where rows stay here, points for samples; `left_out` rows are in neither."""

    version: ModelVersion
    source: str
    rows: int
    feature: Feature
    output: str
    class_name: str | None
    steps: tuple[Step, ...]
    points: tuple[Point, ...]
    left_out: int
    exact: bool
    confidence: float


def overview(rooms: Rooms, serving: Served, caller: Caller, ask: InsightAsk) -> Overview:
    """Importances of all features, and a swarm for each. Raises as `explain` does, NotPermitted where sizes are not
    shown, InvalidOption for a background of too few rows."""
    with recorded(rooms.ledger, caller, "overview:create", model=ask.model, rows_of=ask.rows[:20]) as note:
        version, shows, given, found = _found(rooms, serving, caller, ask, note)
        features = version.manifest.features
        item = disclose_importance(dict(enumerate(found)), features, None, shows, ExplainOptions())
        names = [f["feature"] for f in item["features"]]
        drawn = _swarms(features, given, found, names) if shows.drawn else ()
        return Overview(version, given.source, len(found), given.there, item, drawn, found[0].confidence)


def dependence(rooms: Rooms, serving: Served, caller: Caller, ask: InsightAsk, feature: str) -> Dependence:
    """How one feature's attribution goes with its value. Raises as `overview` does, NotFound for no such feature."""
    with recorded(rooms.ledger, caller, "dependence:create", model=ask.model, rows_of=ask.rows[:20]) as note:
        version, shows, given, found = _found(rooms, serving, caller, ask, note)
        if not shows.drawn:
            raise NotPermitted("A dependence plot shows values of rows, which this role does not see of this model.")
        names = [f.name for f in version.manifest.features]
        if feature not in names:
            raise NotFound(f"{version.manifest.name} has no feature {feature[:60]!r}; it has {', '.join(names)[:400]}.")
        at = names.index(feature)
        one, values = version.manifest.features[at], given.rows[:, at]
        amounts, errors = _amounts(found)[:, at], _errors(found)[:, at]
        banded = steps(one, values, amounts, errors) if given.source == "background" else ()
        points = _points(version, given, at, amounts, errors) if given.source == "samples" else ()
        drawn = sum(len(s.band.rows) for s in banded) + len(points)
        return Dependence(
            version=version,
            source=given.source,
            rows=len(found),
            feature=one,
            output=found[0].output,
            class_name=found[0].class_name,
            steps=banded,
            points=points,
            left_out=len(found) - drawn,
            exact=all(e.method.exact for e in found),
            confidence=found[0].confidence,
        )


def _found(
    rooms: Rooms, serving: Served, caller: Caller, ask: InsightAsk, note: Note
) -> tuple[ModelVersion, Policy, Taken, list[Explanation]]:
    version = entitled(rooms, caller, ask.model, ask.version)
    note["version"], note["digest"] = version.manifest.version, version.digest
    shows = policy(rooms, caller, ask.model)
    require_whole(shows, "Importances")
    given = taken(rooms, version, ask.rows)
    note["rows"] = len(given.rows)
    options = ExplainOptions(output=ask.output)  # type: ignore[arg-type]
    found, facts = explained_rows(rooms, serving, caller, version, given, options)
    note.update(facts)
    note.beside += facts.beside
    return version, shows, given, found


def _swarms(
    features: tuple[Feature, ...], given: Taken, found: list[Explanation], names: list[str]
) -> tuple[Swarm, ...]:
    """In the order of `names`; samples are public, so a value that is rare among them is shown."""
    amounts = _amounts(found)
    cell = float(amounts.max() - amounts.min()) / CELLS
    group = GROUP if given.source == "background" else 1
    columns = {f.name: i for i, f in enumerate(features)}
    at = [columns[name] for name in names]
    return tuple(swarm(features[i], given.rows[:, i], amounts[:, i], cell, group=group) for i in at)


def _points(version: ModelVersion, given: Taken, at: int, amounts: FloatArray, errors: FloatArray) -> tuple[Point, ...]:
    values = row_values(version.manifest.features, given.rows)
    return tuple(
        Point(row[at], float(given.rows[i, at]), float(amounts[i]), None if np.isnan(errors[i]) else float(errors[i]))
        for i, row in enumerate(values)
    )


def _amounts(found: list[Explanation]) -> FloatArray:
    return np.array([e.attributions for e in found])


def _errors(found: list[Explanation]) -> FloatArray:
    return np.array([[np.nan if s is None else s for s in e.standard_errors] for e in found])
