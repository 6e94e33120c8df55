"""Administration of people and of the keys of programs."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.access.roles import grantable_roles, permissions_of
from explainer.errors import InvalidOption
from explainer.usecases import keys, people
from explainer.usecases.admit import needs
from webui.session import caller, public_root, rooms

MOST_DAYS, MOST_HOURS = 3650, 720


@needs(Permission.USER_MANAGE)
def list_people() -> BaseResponse:
    """GET lists everybody, POST adds somebody and shows their one-time link."""
    if request.method == "POST":
        wish = people.PersonWish(request.form.get("name", ""), request.form.get("role", ""), _models())
        invited = people.invite_person(rooms(), caller(), wish)
        return _link(invited.link, invited.person.name, invited.person.id)
    found = people.list_people(rooms(), caller())
    return make_response(render_template("people.html", people=found, roles=grantable_roles()))


@needs(Permission.USER_MANAGE)
def show_person(person_id: str) -> str:
    page = people.show_person(rooms(), caller(), person_id)
    return render_template("person.html", page=page, roles=grantable_roles(), me=caller().principal.id)


@needs(Permission.USER_MANAGE)
def change_role(person_id: str) -> BaseResponse:
    people.change_role(rooms(), caller(), person_id, request.form.get("role", ""), _models())
    return _back_to(person_id)


@needs(Permission.USER_MANAGE)
def change_state(person_id: str) -> BaseResponse:
    people.set_state(rooms(), caller(), person_id, disabled=request.form.get("state") == "disabled")
    return _back_to(person_id)


@needs(Permission.USER_MANAGE)
def invite_again(person_id: str) -> BaseResponse:
    return _link(people.invite_again(rooms(), caller(), person_id), "them", person_id)


@needs(Permission.USER_MANAGE)
def forget_factors(person_id: str) -> BaseResponse:
    people.forget_factors(rooms(), caller(), person_id)
    return _back_to(person_id)


@needs(Permission.SESSION_MANAGE)
def end_their_sessions(person_id: str) -> BaseResponse:
    people.end_sessions(rooms(), caller(), person_id, request.form.get("session") or None)
    return _back_to(person_id)


@needs(Permission.KEY_MANAGE)
def list_keys() -> BaseResponse:
    """GET lists the keys, POST issues one and shows it this once."""
    if request.method == "POST":
        role, chosen = request.form.get("role", ""), tuple(request.form.getlist("scope"))
        ask = keys.KeyAsk(
            request.form.get("name", ""), role, _models(), _number("days", 365, MOST_DAYS), chosen or None
        )
        return _issued(keys.add_key(rooms(), caller(), ask))
    found = keys.list_keys(rooms(), caller())
    scopes = sorted(permissions_of("application") - {Permission.ACCOUNT_MANAGE})  # a key has no account
    return make_response(render_template("keys.html", keys=found, roles=grantable_roles(), scopes=scopes))


@needs(Permission.KEY_MANAGE)
def rotate_key(key_id: str) -> BaseResponse:
    hours = _number("overlap_hours", 24, MOST_HOURS)
    return _issued(keys.rotate_key(rooms(), caller(), key_id, hours), f"{key_id} works for {hours} hours more.")


@needs(Permission.KEY_MANAGE)
def revoke_key(key_id: str) -> BaseResponse:
    keys.revoke_key(rooms(), caller(), key_id)
    return redirect(url_for("webui.list_keys"), 303)


def _models() -> tuple[str, ...]:
    """The field holds names with commas or spaces between; empty means all."""
    names = request.form.get("models", "").replace(",", " ").split()
    return tuple(names[:1000]) or ("*",)


def _number(field: str, default: int, most: int) -> int:
    text = request.form.get(field, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) > most:
        raise InvalidOption(f"{field}: give a whole number up to {most}.")
    return int(text)


def _link(token: str, name: str, person_id: str) -> BaseResponse:
    address = f"{public_root()}/invitation/{token}"
    return make_response(render_template("link_made.html", address=address, name=name, person_id=person_id))


def _issued(issued: keys.Issued, note: str = "") -> BaseResponse:
    return make_response(render_template("key_issued.html", issued=issued, note=note))


def _back_to(person_id: str) -> BaseResponse:
    return redirect(url_for("webui.show_person", person_id=person_id), 303)


def add_routes(blueprint: Blueprint) -> None:
    both, post, one = ["GET", "POST"], ["POST"], "/administration/people/<person_id>"
    blueprint.add_url_rule("/administration/people", view_func=list_people, methods=both)
    blueprint.add_url_rule(one, view_func=show_person)
    blueprint.add_url_rule(f"{one}/role", view_func=change_role, methods=post)
    blueprint.add_url_rule(f"{one}/state", view_func=change_state, methods=post)
    blueprint.add_url_rule(f"{one}/link", view_func=invite_again, methods=post)
    blueprint.add_url_rule(f"{one}/factors", view_func=forget_factors, methods=post)
    blueprint.add_url_rule(f"{one}/sessions", view_func=end_their_sessions, methods=post)
    blueprint.add_url_rule("/administration/keys", view_func=list_keys, methods=both)
    blueprint.add_url_rule("/administration/keys/<key_id>/rotate", view_func=rotate_key, methods=post)
    blueprint.add_url_rule("/administration/keys/<key_id>/revoke", view_func=revoke_key, methods=post)
