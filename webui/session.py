"""Who is looking at the page: the session cookie, the form token, and the way to the sign-in page."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated, NotPermitted
from explainer.settings import SESSION_COOKIE
from explainer.usecases.admit import Credentials, admit
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Serving


def rooms() -> Rooms:
    found: Rooms = current_app.extensions["explainer"].rooms
    return found


def serving() -> Serving:
    found: Serving = current_app.extensions["explainer"].serving
    return found


def caller() -> Caller:
    found: Caller = g.caller
    return found


def admit_page(permission: Permission) -> BaseResponse | None:
    """Set `g.caller`, or lead to the sign-in page and back."""
    try:
        g.caller = admit(
            rooms(), Credentials(session=request.cookies.get(SESSION_COOKIE)), permission, g.request_id, "page"
        )
    except NotAuthenticated:
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("webui.sign_in", next=here))
    return None


def check_form() -> None:
    """Refuse a form that another site sent, or that carries another session's token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"} or not _same_origin():
        raise NotPermitted("This form was sent from another site.")
    cookie, given = request.cookies.get(SESSION_COOKIE, ""), request.form.get("token", "")
    if "caller" in g and not rooms().access.csrf_fits(cookie, given):
        raise NotPermitted("This form is from an earlier session: go back, reload the page and send it again.")


def form_token() -> str:
    token = request.cookies.get(SESSION_COOKIE, "")
    return rooms().access.csrf_token(token) if token else ""


def set_cookie(response: Response, token: str) -> None:
    hours = current_app.config["SESSION_HOURS"]
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SECURE_COOKIES"],
        path=request.script_root or "/",
    )


def local_path(target: str | None) -> str | None:
    """`target` when it leads to a page of this service, else None."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    return target if target.isprintable() and "\\" not in target and not urlsplit(target).netloc else None


def _same_origin() -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
