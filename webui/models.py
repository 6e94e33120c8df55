"""Pages of models: the list, and a model's card with its schema and versions."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.records import ModelVersion
from explainer.registry.approval import pending
from explainer.usecases import models
from explainer.usecases.admit import needs
from explainer.usecases.approve import MAY_APPROVE, ApprovalAsk, approve, awaited
from explainer.usecases.model_health import health_of
from webui.session import caller, rooms, serving


@needs(Permission.CARD_READ)
def list_models() -> str:
    found = models.list_models(rooms(), caller())
    current: dict[str, ModelVersion] = {}
    for version in found:
        if version.retired_at is None and not pending(version):
            current.setdefault(version.manifest.name, version)
    return render_template("models.html", versions=sorted(current.values(), key=lambda v: v.manifest.name))


@needs(Permission.CARD_READ)
def show_model(name: str) -> str:
    page = models.show_model(rooms(), caller(), name, request.args.get("version"))
    return render_template(
        "model.html",
        page=page,
        manifest=page.version.manifest,
        card=markdown(page.card),
        health=health_of(serving(), page.version),
        version=request.args.get("version"),
        awaited=awaited(rooms(), caller(), page.version),
    )


@needs(MAY_APPROVE)
def approve_model(name: str) -> BaseResponse:
    """Let a version into service; the form has a field `accept.CODE` with a reason for each finding."""
    reasons = {key.removeprefix("accept."): said for key, said in request.form.items() if key.startswith("accept.")}
    version = request.form.get("version", "")
    approve(rooms(), caller(), ApprovalAsk(name, version, reasons))
    return redirect(url_for("webui.show_model", name=name, version=version), 303)


def markdown(text: str) -> Markup:
    """A card's Markdown as HTML; raw HTML in it is shown as text, images are not fetched."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(renderer.render(text))  # noqa: S704  the renderer escapes all HTML


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/models", view_func=list_models)
    blueprint.add_url_rule("/models/<name>", view_func=show_model)
    blueprint.add_url_rule("/models/<name>/approve", view_func=approve_model, methods=["POST"])
