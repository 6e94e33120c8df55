"""The blueprint of all pages; each file of pages adds its routes here."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from explainer import __version__
from explainer.errors import ExplainerError
from webui import (
    account,
    administration,
    audit,
    budgets,
    cases,
    explaining,
    exports,
    insight,
    models,
    notices,
    queue,
    receipts,
    signing_in,
    words,
)
from webui.session import admit_page, check_form, form_token, half_way, may

blueprint = Blueprint("webui", __name__, static_folder="static", static_url_path="/static", template_folder="templates")
OPEN = {
    "webui.static",
    "webui.home",
    "webui.sign_in",
    "webui.sign_in_with_passkey",
    "webui.go_to_provider",
    "webui.come_back",
    "webui.accept_invitation",
}

for page in (
    signing_in,
    account,
    administration,
    models,
    explaining,
    receipts,
    insight,
    exports,
    audit,
    budgets,
    queue,
    cases,
    notices,
):
    page.add_routes(blueprint)


@blueprint.before_request
def admit_first() -> BaseResponse | None:
    """Every page but the sign-in asks who is looking; every form is checked before it is read."""
    if request.endpoint not in OPEN:
        view = current_app.view_functions[str(request.endpoint)]
        steps = getattr(view, "steps", ())
        if (elsewhere := admit_page(view.permission, steps)) is not None:  # type: ignore[union-attr]
            return elsewhere
    if request.method == "POST":
        check_form()
    return None


@blueprint.get("/")
def home() -> BaseResponse:
    """The pages for a browser; a sign of life for anything else."""
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if best == "text/html" and request.accept_mimetypes["text/html"] > request.accept_mimetypes["application/json"]:
        return redirect(queue.first_page())
    return make_response({"status": "alive"})


@blueprint.context_processor
def words_for_templates() -> dict[str, object]:
    return {**_for_layout(), "words": words}


@blueprint.after_request
def keep_private(response: Response) -> Response:
    if request.endpoint == "webui.static":
        response.headers["Cache-Control"] = "public, max-age=3600"
    else:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def is_page_request() -> bool:
    """Whether an error is read by a person in a browser."""
    if request.path.startswith(("/api/", "/healthz", "/readyz")):
        return request.path == "/api/docs" and "text/html" in request.headers.get("Accept", "")
    return "text/html" in request.headers.get("Accept", "")


def error_page(error: ExplainerError) -> Response:
    """An error as a page that says what happened and what to do."""
    page = render_template(
        "error.html",
        error=error,
        request_id=g.request_id,
        words=words,
        **_for_layout(),
    )
    return make_response(page, error.status)


def _for_layout() -> dict[str, object]:
    return {
        "form_token": form_token,
        "caller": g.get("caller"),
        "half_way": half_way(),
        "may": may,
        "product_version": __version__,
    }
