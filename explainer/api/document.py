"""The OpenAPI 3.1 document and the page that shows it; both served from here."""

from __future__ import annotations

from pathlib import Path

import flask_openapi3_swagger
import orjson
from flask import Blueprint, Response, current_app, g, render_template, request

from explainer.access.permissions import Permission
from explainer.api.guard import bearer_token, house, permission_of
from explainer.api.problems import documented
from explainer.api.render import tagged
from explainer.usecases.admit import Credentials, admit, needs
from explainer.usecases.documents import read_document

blueprint = Blueprint(
    "document",
    __name__,
    static_folder=str(Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"),
    static_url_path="/api/docs/static",
    template_folder="templates",
)


@blueprint.before_request
def admit_either() -> None:
    """The page is opened in a browser, so a session serves as well as a key."""
    if request.endpoint != "document.static" and (permission := permission_of(request.endpoint)) is not None:
        credentials = Credentials(bearer_token(), request.cookies.get(house().rooms.settings.session_cookie))
        g.caller = admit(house().rooms, credentials, permission, g.request_id, "api")


@blueprint.get("/api/v1/openapi.json")
@needs(Permission.CARD_READ)
def openapi() -> Response:
    read_document(house().rooms, g.caller, "openapi.json")
    body = orjson.dumps(documented(current_app.api_doc))  # type: ignore[attr-defined]
    return tagged(body, body)


@blueprint.get("/api/docs")
@needs(Permission.CARD_READ)
def page() -> str:
    read_document(house().rooms, g.caller, "docs")
    return render_template("docs.html")
