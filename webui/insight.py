"""Pages about a model as a whole: importance, beeswarm, dependence plots, and two versions compared."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import Conflict, ExplainerError, InvalidOption, NotPermitted
from explainer.usecases.admit import needs
from explainer.usecases.compare_versions import VersionsAsk, VersionsCompared, compare_versions
from explainer.usecases.insight_pages import Dependence, InsightAsk, Overview, dependence, overview
from webui import plots
from webui.charts import interval_factor
from webui.explaining import SPACES
from webui.session import caller, rooms, serving

SHOWN = 20  # features of a chart; the tables behind have all
UNSHOWN = (NotPermitted, InvalidOption, Conflict)  # said on the page itself, with what else there is


@needs(Permission.EXPLANATION_CREATE)
def importance_page(name: str) -> BaseResponse:
    """Bars with their errors and a beeswarm, over the background or the samples."""
    try:
        found = overview(rooms(), serving(), caller(), _ask(name))
    except UNSHOWN as error:
        return _unshown("importance.html", name, error)
    factor = interval_factor(found.confidence)
    bars = [
        (f["feature"], f["mean_absolute"], None if f["standard_error"] is None else factor * f["standard_error"])
        for f in found.item["features"]
    ]
    return _page(
        "importance.html",
        name,
        found=found,
        bars=plots.marks(bars, SHOWN),
        factor=factor,
        swarm=plots.beeswarm(found.swarms, SHOWN) if found.swarms else None,
        unit=plots.unit_for(found.item["output"], max((b[1] for b in bars), default=0.0)),
        **_about(found),
    )


@needs(Permission.EXPLANATION_CREATE)
def dependence_page(name: str) -> BaseResponse:
    """One feature's attribution against its value."""
    try:
        found = dependence(rooms(), serving(), caller(), _ask(name), request.args.get("feature", ""))
    except UNSHOWN as error:
        return _unshown("dependence.html", name, error)
    factor = interval_factor(found.confidence)
    amounts = [abs(s.mean) for s in found.steps] + [abs(p.amount) for p in found.points]
    return _page(
        "dependence.html",
        name,
        found=found,
        factor=factor,
        unit=plots.unit_for(found.output, max(amounts, default=0.0)),
        **_drawn(found, factor),
        **_about(found),
    )


@needs(Permission.EXPLANATION_CREATE)
def compare_page(name: str) -> BaseResponse:
    """Two versions on the same rows."""
    before, after = request.args.get("before") or None, request.args.get("after") or None
    ask = VersionsAsk(name, before, after, request.args.get("rows", "background"), _space())
    try:
        found = compare_versions(rooms(), serving(), caller(), ask)
    except UNSHOWN as error:
        return _unshown("compare.html", name, error, before=before, after=after)
    return _page(
        "compare.html",
        name,
        found=found,
        before=found.before.manifest.version if found.before else None,
        after=found.after.manifest.version if found.after else None,
        **_changes(found),
    )


def _ask(name: str) -> InsightAsk:
    return InsightAsk(name, request.args.get("version") or None, request.args.get("rows", "background"), _space())


def _space() -> str | None:
    output = request.args.get("output")
    return output if output in SPACES else None


def _about(found: Overview | Dependence) -> dict[str, Any]:
    manifest = found.version.manifest
    return {"manifest": manifest, "spaces": SPACES if manifest.task == "classification" else {}}


def _drawn(found: Dependence, factor: float) -> dict[str, Any]:
    """Bands of the background; of samples a scatter of numbers, or a strip for each category."""
    if found.steps:
        return {"bands": plots.step_marks(found.steps, factor)}
    if found.feature.type in ("category", "boolean"):
        names: list[tuple[str, Any]] = [(c, c) for c in found.feature.categories] or [("no", False), ("yes", True)]
        return {"strips": plots.strips(found.points, [*names, ("missing", None)], factor)}
    known = [p for p in found.points if p.value is not None]
    return {"scatter": plots.scatter(known, factor) if known else None}


def _changes(found: VersionsCompared) -> dict[str, Any]:
    if found.changes is None or found.explained is None:
        return {}
    features = found.changes.features
    largest = max((max(f.before, f.after) for f in features), default=0.0)
    return {
        "shifts": plots.marks([(f.feature, f.shift, f.half_width) for f in features], SHOWN),
        "unit": plots.unit_for(found.explained[0].output, largest),
        "manifest": found.after.manifest if found.after else None,
        "spaces": SPACES if found.after and found.after.manifest.task == "classification" else {},
    }


def _page(template: str, name: str, **known: Any) -> BaseResponse:
    given = {"rows": request.args.get("rows", "background"), "output": _space(), "version": request.args.get("version")}
    return make_response(render_template(template, name=name, **given, **known))


def _unshown(template: str, name: str, error: ExplainerError, **known: Any) -> BaseResponse:
    """The page with what it cannot show and why, instead of numbers."""
    response = _page(template, name, unshown=error, found=None, **known)
    response.status_code = error.status
    return response


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/models/<name>/importance", view_func=importance_page)
    blueprint.add_url_rule("/models/<name>/dependence", view_func=dependence_page)
    blueprint.add_url_rule("/models/<name>/compare", view_func=compare_page)
