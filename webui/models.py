"""Pages of models: the list, and a model's card with its schema and versions."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from markdown_it import MarkdownIt
from markupsafe import Markup

from explainer.access.permissions import Permission
from explainer.records import ModelVersion
from explainer.usecases import models
from explainer.usecases.admit import needs
from webui.session import caller, rooms, serving


@needs(Permission.CARD_READ)
def list_models() -> str:
    found = models.list_models(rooms(), caller())
    current: dict[str, ModelVersion] = {}
    for version in found:
        if version.retired_at is None:
            current.setdefault(version.manifest.name, version)
    return render_template("models.html", versions=sorted(current.values(), key=lambda v: v.manifest.name))


@needs(Permission.CARD_READ)
def show_model(name: str) -> str:
    page = models.show_model(rooms(), caller(), name, request.args.get("version"))
    broken = serving().out_of_service().get(name)
    return render_template(
        "model.html", page=page, manifest=page.version.manifest, card=markdown(page.card), broken=broken
    )


def markdown(text: str) -> Markup:
    """A card's Markdown as HTML; raw HTML in it is shown as text, images are not fetched."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(renderer.render(text))  # noqa: S704  the renderer escapes all HTML


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/models", view_func=list_models)
    blueprint.add_url_rule("/models/<name>", view_func=show_model)
