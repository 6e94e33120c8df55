"""Signing in, step by step, and out."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.oidc import Return
from explainer.access.permissions import Permission
from explainer.errors import Conflict, ExplainerError, InvalidOption, NotAuthenticated, NotPermitted
from explainer.usecases import signing_in as steps
from explainer.usecases.admit import needs
from webui.session import (
    browser,
    caller,
    cookie_path,
    during,
    local_path,
    passkey_place,
    public_root,
    rooms,
    session_token,
    set_cookie,
    step_page,
)

JOURNEY_COOKIE = "explainer_journey"
JOURNEY_S = 600


def sign_in() -> BaseResponse:
    """GET shows the form, POST starts a session and leads to where the person wanted to go."""
    if request.method == "GET":
        return _sign_in_page()
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    return _answered(lambda: steps.sign_in(rooms(), browser(), name, password))


def sign_in_with_passkey() -> BaseResponse:
    """A passkey alone, which is two factors."""
    place = passkey_place()
    if place is None:
        return _sign_in_page("Passkeys are not set up here: sign in with your password.")
    answer = request.form.get("answer", "")
    return _answered(lambda: steps.sign_in_with_passkey(rooms(), browser(), answer, place))


def go_to_provider(provider: str) -> BaseResponse:
    """Lead the browser to an identity provider; a cookie of ten minutes knows it again."""
    journey = steps.go_to_provider(rooms(), browser(), provider, _back(provider))
    response = redirect(journey.address, 303)
    target = local_path(request.args.get("next")) or ""
    response.set_cookie(
        JOURNEY_COOKIE,
        f"{journey.cookie}{target}",
        max_age=JOURNEY_S,
        httponly=True,
        samesite="Lax",
        secure=rooms().settings.secure_cookies,
        path=cookie_path(),
    )
    return response


def come_back(provider: str) -> BaseResponse:
    """The provider leads the browser back here, with a code that only this browser can use."""
    cookie, slash, rest = request.cookies.get(JOURNEY_COOKIE, "").partition("/")
    back = Return(
        state=request.args.get("state", ""),
        code=request.args.get("code", ""),
        issuer=request.args.get("iss"),
        cookie=cookie,
        address=_back(provider),
    )
    response = _answered(lambda: steps.come_back(rooms(), browser(), provider, back), local_path(slash + rest))
    response.delete_cookie(JOURNEY_COOKIE, path=cookie_path())
    return response


def accept_invitation(link: str) -> BaseResponse:
    """A one-time link: GET asks for a name (the first administrator's) and a password, POST takes them."""
    welcome = steps.look_at_invitation(rooms(), link)
    name = request.form.get("name", "") if welcome.first else welcome.name
    problem = None
    if request.method == "POST":
        try:
            done = _accepted(link, name)
        except (InvalidOption, Conflict) as error:
            problem = error.detail
        else:
            return _on(done, None)
    page = render_template("invitation.html", first=welcome.first, name=name, problem=problem)
    return make_response(page, 422 if problem else 200)


@needs(Permission.ACCOUNT_MANAGE)
@during("prove")
def prove() -> BaseResponse:
    """The second factor: a code of the app, a recovery code or a passkey."""
    token, place, problem = session_token(), passkey_place(), None
    if request.method == "GET":
        offered = steps.look_at_factors(rooms(), caller(), token, place)
    else:
        try:
            return _on(_proven(token), local_path(request.form.get("next")))
        except NotAuthenticated as error:
            problem, offered = error.detail, steps.offer(rooms(), token, place)
    if offered is None:
        return redirect(_target())
    page = render_template("second_factor.html", offered=offered, problem=problem, target=_target())
    return make_response(page, 401 if problem else 200)


@needs(Permission.ACCOUNT_MANAGE)
@during("prove", "set-up")
def sign_out() -> BaseResponse:
    steps.sign_out(rooms(), caller(), session_token())
    response = redirect(url_for("webui.sign_in"), 303)
    response.delete_cookie(rooms().settings.session_cookie, path=cookie_path())
    return response


def _proven(token: str) -> steps.SignedIn:
    if (answer := request.form.get("answer")) and (place := passkey_place()) is not None:
        return steps.prove_with_passkey(rooms(), caller(), token, answer, place)
    return steps.prove(rooms(), caller(), token, request.form.get("code", ""), request.remote_addr or "")


def _accepted(link: str, name: str) -> steps.SignedIn:
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise InvalidOption("The two passwords are not the same.")
    return steps.accept_invitation(rooms(), browser(), link, name, password)


def _answered(step: Callable[[], steps.SignedIn], target: str | None = None) -> BaseResponse:
    """Go on with the session that the step begins, or show the sign-in page and say why not."""
    try:
        done = step()
    except (NotAuthenticated, NotPermitted) as error:
        return _sign_in_page(error.detail, error)
    return _on(done, target or local_path(request.values.get("next")))


def _on(done: steps.SignedIn, target: str | None) -> BaseResponse:
    if done.stage == "full" and target is None and not rooms().access.may(done.principal, Permission.CARD_READ):
        target = url_for("webui.show_account")  # where everybody may go
    response = redirect(step_page(done.stage, target), 303)
    set_cookie(response, done.token)
    return response


def _sign_in_page(problem: str | None = None, error: ExplainerError | None = None) -> BaseResponse:
    page = render_template(
        "sign_in.html",
        target=local_path(request.values.get("next")),
        problem=problem,
        name=request.form.get("name", ""),
        ways=steps.ways_in(rooms(), passkey_place()),
    )
    return make_response(page, 200 if problem is None else error.status if error else 401)


def _target() -> str:
    return local_path(request.values.get("next")) or url_for("webui.home")


def _back(provider: str) -> str:
    return public_root() + url_for("webui.come_back", provider=provider).removeprefix(request.script_root)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/sign-in", view_func=sign_in, methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-in/passkey", view_func=sign_in_with_passkey, methods=["POST"])
    blueprint.add_url_rule("/sign-in/with/<provider>", view_func=go_to_provider)
    blueprint.add_url_rule("/sign-in/with/<provider>/back", view_func=come_back)
    blueprint.add_url_rule("/invitation/<link>", view_func=accept_invitation, methods=["GET", "POST"])
    blueprint.add_url_rule("/second-factor", view_func=prove, methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])
