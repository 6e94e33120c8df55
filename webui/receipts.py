"""The page of a receipt: what was answered, and a button that computes it again."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from explainer.access.permissions import Permission
from explainer.usecases.admit import needs
from explainer.usecases.receipts import replay_receipt, show_receipt
from webui import charts
from webui.session import caller, rooms, serving


@needs(Permission.RECEIPT_READ)
def show_receipt_page(receipt_id: str) -> str:
    """GET shows the stored answer; POST replays it and says whether every bit came out the same."""
    replayed = replay_receipt(rooms(), serving(), caller(), receipt_id) if request.method == "POST" else None
    shown = show_receipt(rooms(), caller(), receipt_id)
    e = shown.explanations[0]
    chart = (charts.waterfall(e) if e.lime is None else charts.diverging(e)) if shown.policy.drawn else None
    return render_template(
        "receipt.html",
        shown=shown,
        explanation=None if chart is None else e,
        chart_data=chart,
        replayed=replayed,
        manifest=shown.version.manifest,
    )


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/receipts/<receipt_id>", view_func=show_receipt_page, methods=["GET", "POST"])
