"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import NotAuthenticated
from explainer.settings import SESSION_COOKIE
from explainer.usecases import admit
from explainer.usecases.admit import needs
from webui.session import caller, local_path, rooms, set_cookie


def sign_in() -> BaseResponse:
    """GET shows the form, POST starts a session and leads to where the person wanted to go."""
    target = local_path(request.values.get("next"))
    problem = None
    if request.method == "POST":
        name = request.form.get("name", "").strip()
        try:
            done = _signed_in(name)
        except NotAuthenticated as error:
            problem = error.detail
        else:
            response = make_response(redirect(target or url_for("webui.list_models"), 303))
            set_cookie(response, done.token)
            return response
    page = render_template("sign_in.html", target=target, problem=problem, name=request.form.get("name", ""))
    return make_response(page, 401 if problem else 200)


def _signed_in(name: str) -> admit.SignedIn:
    ask = admit.SignInAsk(
        name, request.form.get("password", ""), request.remote_addr or "", request.cookies.get(SESSION_COOKIE)
    )
    return admit.sign_in(rooms(), g.request_id, ask)


@needs(Permission.CARD_READ)
def sign_out() -> BaseResponse:
    admit.sign_out(rooms(), caller(), request.cookies.get(SESSION_COOKIE, ""))
    response = redirect(url_for("webui.sign_in"), 303)
    response.delete_cookie(SESSION_COOKIE, path=request.script_root or "/")
    return response


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/sign-in", view_func=sign_in, methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])
