"""Pages of the ledger: search its entries, look at one with its proof, verify and sign the whole."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, NotFound
from explainer.ledger.sqlite import Filters
from explainer.usecases.admit import needs
from explainer.usecases.audit import Wanted, search_entries, show_entry
from explainer.usecases.ledger import sign_checkpoint, verify_ledger
from webui.session import caller, rooms

FIELDS = {
    "event": ("Event", "door:subject:action, for example api:explanation:create"),
    "principal": ("Principal", "for example key_abcd2345"),
    "outcome": ("Outcome", "answered, or an error's code"),
    "request_id": ("Request", "the number that an error page or X-Request-ID names"),
    "model": ("Model", "a model's name"),
}
LONGEST = 200


@needs(Permission.ENTRY_READ)
def search_page() -> BaseResponse:
    """Entries newest first; what is typed has to match exactly."""
    given = {name: text[:LONGEST] for name in (*FIELDS, "since", "until") if (text := _typed(name))}
    wanted = _wanted(given)
    try:
        found = search_entries(rooms(), caller(), wanted)
    except InvalidOption as error:
        return make_response(_search(given, found=None, error=error), error.status)
    return make_response(_search(given, found=found, error=None))


@needs(Permission.ENTRY_READ)
def entry_page(number: str) -> str:
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NotFound(f"There is no ledger entry {number[:40]!r}.")
    shown = show_entry(rooms(), caller(), int(number))
    facts = orjson.loads(shown.proof.written)["body"]
    return render_template("audit_entry.html", shown=shown, facts=facts)


@needs(Permission.CHAIN_VERIFY)
def chain_page() -> str:
    """POST recomputes the chain and the tree and says what was found."""
    return render_template("audit_chain.html", verdict=verify_ledger(rooms(), caller()), signed=None)


@needs(Permission.CHAIN_VERIFY)
def checkpoint_page() -> str:
    """POST signs the tree as it is now and shows the note."""
    return render_template("audit_chain.html", verdict=None, signed=sign_checkpoint(rooms(), caller()))


def _typed(name: str) -> str:
    return request.args.get(name, "").strip()


def _wanted(given: dict[str, str]) -> Wanted:
    before = _typed("before")
    if before and not (before.isascii() and before.isdigit() and len(before) < 16):
        raise InvalidOption("before: this is an entry's number.")
    known: dict[str, Any] = {k: given.get(k) for k in ("event", "principal", "outcome", "request_id")}
    return Wanted(
        fields=Filters(**known),
        model=given.get("model"),
        since=given.get("since"),
        until=given.get("until"),
        before=int(before) if before else None,
    )


def _search(given: dict[str, str], **known: Any) -> str:
    return render_template("audit.html", fields=FIELDS, given=given, **known)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/audit", view_func=search_page)
    blueprint.add_url_rule("/audit/entries/<number>", view_func=entry_page)
    blueprint.add_url_rule("/audit/verify", view_func=chain_page, methods=["POST"])
    blueprint.add_url_rule("/audit/checkpoint", view_func=checkpoint_page, methods=["POST"])
