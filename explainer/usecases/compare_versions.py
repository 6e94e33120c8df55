"""Two versions of a model on the same rows: whose reasons changed, by how much, and is that more than the error?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explainer.disclosure.levels import require_whole
from explainer.errors import InvalidOption, InvalidRows
from explainer.records import ExplainOptions, Explanation, ModelVersion
from explainer.registry.approval import pending
from explainer.registry.rows import code_rows, uncode_rows
from explainer.usecases.deciding import are_adverse, scores_of
from explainer.usecases.explain import entitled
from explainer.usecases.guarding import policy
from explainer.usecases.insight_rows import Taken, explained_rows, taken
from explainer.usecases.recording import Note, recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served
from explainer.usecases.version_changes import Changes, changes


@dataclass(frozen=True, slots=True)
class VersionsAsk:
    """`before` and `after` are versions; None: the two that are newest in service. `rows` are those of `after`."""

    model: str
    before: str | None = None
    after: str | None = None
    rows: str = "background"
    output: str | None = None


@dataclass(frozen=True, slots=True)
class VersionsCompared:
    """`served` are the versions to choose from, newest first; `differs` says why the two cannot be compared.

    `changes` is None then, and where there are no two versions. Its lines are given for samples only.
    """

    served: tuple[ModelVersion, ...]
    before: ModelVersion | None
    after: ModelVersion | None
    differs: tuple[str, ...] = ()
    changes: Changes | None = None
    explained: tuple[Explanation, Explanation] | None = None  # the first row by each: space, class and method
    there: int = 0
    thresholds_differ: bool = False


def compare_versions(rooms: Rooms, serving: Served, caller: Caller, ask: VersionsAsk) -> VersionsCompared:
    """Explain the same rows by both versions, each relative to its own background.

    Raises as `explain` does, Conflict for a version that is retired or waits for approval, NotPermitted where sizes
    are not shown, InvalidOption for a version with itself and for a background of too few rows.
    """
    with recorded(rooms.ledger, caller, "versions:compare", model=ask.model, rows_of=ask.rows[:20]) as note:
        current = entitled(rooms, caller, ask.model, None)
        served = tuple(
            v
            for v in rooms.registry.versions()
            if v.manifest.name == current.manifest.name and v.retired_at is None and not pending(v)
        )
        require_whole(policy(rooms, caller, ask.model), "Comparisons of versions")
        before, after = _pair(rooms, caller, ask, served)
        if before is None or after is None:
            return VersionsCompared(served, before, after)
        note["before"], note["after"] = before.manifest.version, after.manifest.version
        note["before_digest"], note["digest"] = before.digest, after.digest
        if differs := _differs(before, after):
            note["comparable"] = False
            return VersionsCompared(served, before, after, differs)
        found = _compared(rooms, serving, caller, (before, after), ask, note)
        return replace(found, served=served)


def _pair(
    rooms: Rooms, caller: Caller, ask: VersionsAsk, served: Sequence[ModelVersion]
) -> tuple[ModelVersion | None, ModelVersion | None]:
    """Those that were named; else the newest, and the newest of the others."""
    after = entitled(rooms, caller, ask.model, ask.after) if ask.after else next(iter(served), None)
    others = [v for v in served if v != after]
    before = entitled(rooms, caller, ask.model, ask.before) if ask.before else next(iter(others), None)
    if before is not None and before == after:
        raise InvalidOption("before: this is the same version; choose two different ones.")
    return before, after


def _differs(before: ModelVersion, after: ModelVersion) -> tuple[str, ...]:
    """What makes their explanations no answers to the same question."""
    a, b, found = before.manifest, after.manifest, []
    for one, other in ((a, b), (b, a)):
        names = {f.name for f in other.features}
        if only := [f.name for f in one.features if f.name not in names]:
            found.append(f"only version {one.version} has {', '.join(only)}")
    types = {f.name: f.type for f in b.features}
    found += [
        f"{f.name} is of type {f.type} in version {a.version}, {types[f.name]} in {b.version}"
        for f in a.features
        if types.get(f.name, f.type) != f.type
    ]
    facts: dict[str, tuple[str, str]] = {"task": (a.task, b.task)}
    if a.task == b.task:
        facts["list of classes"] = (", ".join(sorted(a.classes)), ", ".join(sorted(b.classes)))
        facts["positive class"] = (a.positive_class or "not declared", b.positive_class or "not declared")
    for what, (one_is, other_is) in facts.items():
        if one_is != other_is:
            found.append(f"the {what} is {one_is} in version {a.version}, {other_is} in {b.version}")
    return tuple(found)


def _compared(
    rooms: Rooms,
    serving: Served,
    caller: Caller,
    versions: tuple[ModelVersion, ModelVersion],
    ask: VersionsAsk,
    note: Note,
) -> VersionsCompared:
    before, after = versions
    given = taken(rooms, after, ask.rows)
    theirs = _recoded(before, after, given)
    note["rows"] = len(given.rows)
    options = ExplainOptions(output=ask.output or after.manifest.output)  # type: ignore[arg-type]
    explained, hits = [], 0
    for version, rows in ((before, theirs), (after, given)):
        found, facts = explained_rows(rooms, serving, caller, version, rows, options)
        hits += int(facts["hits"] or 0)
        note.beside += facts.beside
        explained.append(_in_order(found, version, after))
    note["hits"] = hits
    names = [f.name for f in after.manifest.features]
    outcomes = (_outcomes(rooms, caller, before, theirs), _outcomes(rooms, caller, after, given))
    both = None if outcomes[0] is None or outcomes[1] is None else (outcomes[0], outcomes[1])
    done = changes(explained[0], explained[1], names, both)
    if given.source == "background":
        done = replace(done, lines=())
    return VersionsCompared(
        served=(),
        before=before,
        after=after,
        changes=done,
        explained=(explained[0][0], explained[1][0]),
        there=given.there,
        thresholds_differ=before.manifest.decision != after.manifest.decision,
    )


def _recoded(before: ModelVersion, after: ModelVersion, given: Taken) -> Taken:
    """The rows in the other version's code: its features may stand in another order, its categories as well."""
    values = uncode_rows(after.manifest.features, given.rows)
    try:
        return replace(given, rows=code_rows(before.manifest.features, values))
    except InvalidRows as error:
        where = error.problems[0].where.partition(".")[2] if error.problems else ""
        raise InvalidOption(
            f"rows: {len(error.problems) or 'some'} values of these rows do not fit version {before.manifest.version}"
            f"{f', the first at {where}' if where else ''}; compare on other rows."
        ) from None


def _in_order(found: Sequence[Explanation], version: ModelVersion, wanted: ModelVersion) -> list[Explanation]:
    """Attributions and errors in the order of the other version's schema."""
    columns = {f.name: i for i, f in enumerate(version.manifest.features)}
    at = [columns[f.name] for f in wanted.manifest.features]
    return [
        replace(
            e,
            attributions=tuple(e.attributions[i] for i in at),
            standard_errors=tuple(e.standard_errors[i] for i in at),
        )
        for e in found
    ]


def _outcomes(rooms: Rooms, caller: Caller, version: ModelVersion, given: Taken) -> list[bool] | None:
    """Which rows' outcome is adverse, by the version's own decision; None without one."""
    decision = version.manifest.decision
    if decision is None:
        return None
    outputs = rooms.workers.predict(version.digest, given.rows, caller.asking())
    return [bool(a) for a in are_adverse(decision, scores_of(version.manifest, outputs))]
