"""One's own account: password, second factors, sessions."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import Conflict, InvalidOption, NotAuthenticated, SecondFactorNeeded
from explainer.usecases import account
from explainer.usecases.admit import needs
from webui.session import caller, during, local_path, passkey_place, rooms, session_token, set_cookie

DONE = {
    "password": "The password is changed, and all other sessions have ended.",
    "app": "The authenticator app is set up.",
    "app-removed": "The authenticator app is removed.",
    "passkey": "The passkey is added.",
    "passkey-removed": "The passkey is removed.",
    "session": "The session has ended.",
    "sessions": "All other sessions have ended.",
}


@needs(Permission.ACCOUNT_MANAGE)
def show_account() -> str:
    """Who one is here, with which second factors, and where one is signed in."""
    shown = account.show_account(rooms(), caller(), session_token())
    return render_template("account.html", account=shown, done=DONE.get(request.args.get("done", "")))


@needs(Permission.ACCOUNT_MANAGE)
@during("set-up")
def set_up() -> str:
    """The first second factor: an app or a passkey, before anything else can be done."""
    shown = account.show_account(rooms(), caller(), session_token())
    return render_template("set_up.html", account=shown, place=passkey_place(), target=_target())


@needs(Permission.ACCOUNT_MANAGE)
def change_password() -> BaseResponse:
    """GET asks for the old and the new password, POST changes it."""
    problem = None
    if request.method == "GET":
        account.show_account(rooms(), caller(), session_token())
    else:
        wish = account.PasswordWish(*(request.form.get(field, "") for field in ("old", "password", "again")))
        try:
            return _done("password", account.change_password(rooms(), caller(), session_token(), wish))
        except (NotAuthenticated, InvalidOption) as error:
            problem = error.detail
    return make_response(render_template("password.html", problem=problem), 422 if problem else 200)


@needs(Permission.ACCOUNT_MANAGE)
@during("set-up")
def set_up_app() -> BaseResponse:
    """GET shows what the authenticator app is given, POST takes a code that it shows."""
    problem = request.args.get("wrong") == "1"
    try:
        if request.method == "POST":
            code = request.form.get("code", "")
            return _done("app", account.confirm_app(rooms(), caller(), session_token(), code))
        given = account.begin_app(rooms(), caller(), session_token())
    except InvalidOption:
        return redirect(url_for("webui.set_up_app", wrong="1", next=local_path(request.form.get("next"))), 303)
    except NotAuthenticated as error:
        return _sign_in_again(error)
    page = render_template(
        "set_up_app.html", given=given, picture=qr_code(given.address), problem=problem, target=_target()
    )
    return make_response(page)


@needs(Permission.ACCOUNT_MANAGE)
@during("set-up")
def add_passkey() -> BaseResponse:
    """GET asks the browser for a new passkey, POST keeps it."""
    place = passkey_place()
    if place is None:
        raise Conflict(
            "Browsers make passkeys for host names only: set EXPLAINER_PUBLIC_URL, or open this page at localhost."
        )
    try:
        if request.method == "POST":
            wish = account.PasskeyWish(request.form.get("name", ""), request.form.get("answer", ""), place)
            return _done("passkey", account.add_passkey(rooms(), caller(), session_token(), wish))
        options = account.ask_passkey(rooms(), caller(), session_token(), place)
    except NotAuthenticated as error:
        return _sign_in_again(error)
    return make_response(render_template("set_up_passkey.html", options=options, target=_target()))


@needs(Permission.ACCOUNT_MANAGE)
def remove_app() -> BaseResponse:
    return _changed("app-removed", lambda: account.remove_app(rooms(), caller(), session_token()))


@needs(Permission.ACCOUNT_MANAGE)
def remove_passkey() -> BaseResponse:
    which = request.form.get("passkey", "")
    return _changed("passkey-removed", lambda: account.remove_passkey(rooms(), caller(), session_token(), which))


@needs(Permission.ACCOUNT_MANAGE)
def renew_codes() -> BaseResponse:
    try:
        return _done("codes", account.renew_codes(rooms(), caller(), session_token()))
    except NotAuthenticated as error:
        return _sign_in_again(error)


@needs(Permission.ACCOUNT_MANAGE)
def end_sessions() -> BaseResponse:
    """End the session that the form names, or all others."""
    which = request.form.get("session") or None
    account.end_session(rooms(), caller(), session_token(), which)
    return redirect(url_for("webui.show_account", done="session" if which else "sessions"), 303)


def qr_code(text: str) -> Markup:
    """A QR code as SVG in the page: no host outside ever sees what it says."""
    import segno

    drawn = segno.make(text, micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr")
    return Markup(drawn)  # noqa: S704 - segno draws squares; the text is not in it


def _done(what: str, done: account.Changed) -> BaseResponse:
    """Show new recovery codes, which are there this once; else lead on."""
    target = local_path(request.form.get("next")) or url_for("webui.show_account", done=what)
    shown = render_template("recovery_codes.html", codes=done.codes, target=target) if done.codes else None
    response = redirect(target, 303) if shown is None else make_response(shown)
    if done.token != session_token():
        set_cookie(response, done.token)
    return response


def _changed(what: str, change: Callable[[], None]) -> BaseResponse:
    try:
        change()
    except NotAuthenticated as error:
        return _sign_in_again(error)
    return redirect(url_for("webui.show_account", done=what), 303)


def _sign_in_again(error: NotAuthenticated) -> BaseResponse:
    """What needs a recent sign-in leads there, and back to the account."""
    if isinstance(error, SecondFactorNeeded):
        raise error
    return redirect(url_for("webui.sign_in", next=url_for("webui.show_account"), again="1"), 303)


def _target() -> str | None:
    return local_path(request.values.get("next"))


def add_routes(blueprint: Blueprint) -> None:
    both = ["GET", "POST"]
    blueprint.add_url_rule("/account", view_func=show_account)
    blueprint.add_url_rule("/account/set-up", view_func=set_up)
    blueprint.add_url_rule("/account/password", view_func=change_password, methods=both)
    blueprint.add_url_rule("/account/app", view_func=set_up_app, methods=both)
    blueprint.add_url_rule("/account/app/remove", view_func=remove_app, methods=["POST"])
    blueprint.add_url_rule("/account/passkeys", view_func=add_passkey, methods=both)
    blueprint.add_url_rule("/account/passkeys/remove", view_func=remove_passkey, methods=["POST"])
    blueprint.add_url_rule("/account/recovery-codes", view_func=renew_codes, methods=["POST"])
    blueprint.add_url_rule("/account/sessions/end", view_func=end_sessions, methods=["POST"])
