"""The explain page: pick or type a row; see the prediction, the reasons with their error, and LIME beside them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.attribution.agreement import Agreement
from explainer.disclosure.words import reason_lines
from explainer.errors import InvalidRows, Problem
from explainer.records import ExplainOptions, Explanation
from explainer.usecases.admit import needs
from explainer.usecases.compare import Compared, compare
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.models import ModelPage, show_model
from webui import charts
from webui.row_form import fields, typed_row
from webui.session import caller, rooms, serving

SPACES = {"probability": "probability", "log_odds": "log odds", "raw": "raw model output"}


@dataclass(frozen=True, slots=True)
class Result:
    """Everything the result part of the page shows; numbers come from the answer and from nowhere else."""

    item: dict[str, Any]
    shap: Explanation | None  # this and what follows are there where the reader sees every digit
    lime: Explanation | None
    shap_chart: charts.Waterfall | None
    lime_chart: charts.Diverging | None
    agreement: Agreement | None
    values: list[Any]
    reasons: list[dict[str, Any]]
    receipt: str
    cache: str


@needs(Permission.EXPLANATION_CREATE)
def explain_page(name: str) -> BaseResponse:
    """GET explains the sample that the address names, POST the typed row."""
    page = show_model(rooms(), caller(), name, request.values.get("version"))
    features = page.version.manifest.features
    row, sample = _row_asked_for(page)
    problems: tuple[Problem, ...] = ()
    result = None
    if row is not None:
        try:
            result = _result(page, row)
        except InvalidRows as error:
            problems = error.problems
    body = render_template(
        "explain.html",
        page=page,
        manifest=page.version.manifest,
        fields=fields(features, row, problems),
        problems=problems,
        sample=sample,
        spaces=SPACES if page.version.manifest.task == "classification" else {},
        output=request.values.get("output") or page.version.manifest.output,
        result=result,
        features=features,
        request_id=g.request_id,
    )
    return make_response(body, 422 if problems else 200)


def _row_asked_for(page: ModelPage) -> tuple[dict[str, Any] | None, int | None]:
    if request.method == "POST":
        return typed_row(page.version.manifest.features, request.form), None
    text = request.args.get("sample", "")
    if text.isascii() and text.isdigit() and int(text) < len(page.samples):
        return page.samples[int(text)], int(text)
    return None, None


def _result(page: ModelPage, row: dict[str, Any]) -> Result:
    manifest = page.version.manifest
    output = request.values.get("output") if manifest.task == "classification" else None
    options = ExplainOptions(output=output if output in SPACES else None)  # type: ignore[arg-type]
    ask = ExplainAsk(manifest.name, [row], options, manifest.version)
    compared: Compared = compare(rooms(), serving(), caller(), ask)
    item, values = compared.shap.items[0], [row.get(f.name) for f in manifest.features]
    if not compared.shap.policy.drawn:
        nothing = (None, None, None, None, None)
        return Result(item, *nothing, values, item.get("reasons", []), item["receipt"], item["cache"])
    shap, lime = compared.shap.full[0][0], compared.lime.full[0][0]
    return Result(
        item=item,
        shap=shap,
        lime=lime,
        shap_chart=charts.waterfall(shap),
        lime_chart=charts.diverging(lime),
        agreement=compared.agreements[0],
        values=values,
        reasons=[dataclasses.asdict(line) for line in reason_lines(shap, manifest.features)],
        receipt=item["receipt"],
        cache=item["cache"],
    )


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/models/<name>/explain", view_func=explain_page, methods=["GET", "POST"])
