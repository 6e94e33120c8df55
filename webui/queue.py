"""The queue of decisions: what needs a person first, found again by filters, views and an external id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, NotAuthenticated, SecondFactorNeeded
from explainer.reviews.wanted import Wanted
from explainer.usecases.admit import needs
from explainer.usecases.case_pages import next_case, workbench
from explainer.usecases.cases import assign, forget_view, save_view
from webui import case_words
from webui.session import caller, public_root, rooms, session_token

PAGE = 50
MOST_PAGES = 1_000_000
SHOWS = {
    "waiting": "waits for a person",
    "decided": "decided",
    "all": "everything",
    "open": "… no verdict yet",
    "information": "… more information asked for",
    "referred": "… referred",
    "second-look": "… override, second look",
    "upheld": "… upheld",
    "overridden": "… overridden",
    "erased": "… erased",
}
SORTS = {
    "priority": "most in need of a look",
    "due": "due first",
    "margin": "nearest to the threshold",
    "newest": "newest",
    "oldest": "oldest",
}
DEFAULTS = {"show": "waiting", "sort": "priority"}
FILTERS = ("show", "model", "flag", "adverse", "assignee", "overdue", "external", "sort")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; empty texts ask for nothing."""

    show: str = "waiting"
    model: str = ""
    flag: str = ""
    adverse: str = ""
    assignee: str = ""
    overdue: str = ""
    external: str = ""
    sort: str = "priority"
    page: int = 1

    @classmethod
    def of(cls, given: MultiDict[str, str]) -> Filters:
        """Raises InvalidOption for a page that is no number; the words themselves are judged by the query."""
        page = given.get("page", "1")
        if not page.isascii() or not page.isdigit() or not 1 <= int(page) <= MOST_PAGES:
            raise InvalidOption(f"page: {page[:40]!r} is not a page; the first one is 1.")
        texts = {name: given.get(name, "").strip() or DEFAULTS.get(name, "") for name in FILTERS}
        return cls(**texts, page=int(page))

    def wanted(self, offset: int | None = None) -> Wanted:
        """Raises InvalidOption for words that no filter has."""
        if self.adverse not in ("", "yes", "no"):
            raise InvalidOption(f"adverse: {self.adverse[:40]!r} is neither 'yes' nor 'no'.")
        return Wanted(
            show=self.show,
            model=self.model or None,
            flag=self.flag or None,
            adverse=None if not self.adverse else self.adverse == "yes",
            assignee=self.assignee or None,
            overdue_at=datetime.now(UTC).isoformat(timespec="seconds") if self.overdue else None,
            sort=self.sort,
            limit=PAGE,
            offset=(self.page - 1) * PAGE if offset is None else offset,
        )

    def asked(self, **others: Any) -> dict[str, Any]:
        """The arguments of an address that asks for this, with some others; what is usual is left out."""
        texts = {name: getattr(self, name) for name in FILTERS} | {"page": self.page}
        usual = {**dict.fromkeys(FILTERS, ""), **DEFAULTS, "page": 1}
        changed = {**texts, "page": 1, **others} if others else texts
        return {name: value for name, value in changed.items() if value not in (usual.get(name), None)}

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order and the page was chosen."""
        return bool(set(self.asked()) - {"sort", "page"})


@needs(Permission.DECISION_READ)
def list_decisions() -> str:
    """One page of the queue."""
    filters = Filters.of(request.args)
    bench = workbench(rooms(), caller(), filters.wanted(), filters.external)
    found = bench.queue
    first = (filters.page - 1) * PAGE
    return render_template(
        "queue.html",
        bench=bench,
        queue=found,
        filters=filters,
        view=urlencode(filters.asked(page=1)),
        views=[(name, _address(query)) for name, query in found.views],
        said=request.args.get("said", ""),
        shows=SHOWS,
        sorts=SORTS,
        flags=case_words.FLAGS,
        told=case_words,
        first=first,
        pages=-(-found.count // PAGE),
        me=caller().principal.id,
        root=public_root(),
    )


@needs(Permission.DECISION_READ)
def go_to_next() -> BaseResponse:
    """The case that comes after another one in a queue; back to the queue where it was the last."""
    filters = Filters.of(request.args)
    at = request.args.get("at", "0")
    offset = int(at) if at.isascii() and at.isdigit() and len(at) < 8 else 0
    found = next_case(rooms(), caller(), filters.wanted(offset), request.args.get("not", ""))
    if found is None:
        return redirect(url_for("webui.list_decisions", said="end", **filters.asked()), 303)
    decision_id, place = found
    return redirect(url_for("webui.show_decision", decision_id=decision_id, at=place, **filters.asked()), 303)


@needs(Permission.DECISION_ASSIGN)
def assign_decision(decision_id: str) -> BaseResponse:
    """Give a case to somebody, and go back to where that was asked for."""
    given = assign(rooms(), caller(), decision_id, request.form.get("person", "").strip())
    asked = Filters.of(request.args).asked()
    if request.form.get("from") == "case":
        asked |= {"at": request.args.get("at", "0"), "said": "assigned"}
        return redirect(url_for("webui.show_decision", decision_id=decision_id, **asked), 303)
    said = "mine" if given.state.assignee == caller().principal.id else "assigned"
    return redirect(url_for("webui.list_decisions", said=said, **asked, _anchor=decision_id), 303)


@needs(Permission.DECISION_READ)
def keep_view() -> BaseResponse:
    """Keep the filters of the page under a name, or forget a name."""
    name, query = request.form.get("name", "").strip(), request.form.get("query", "")
    if request.form.get("forget"):
        forget_view(rooms(), caller(), name)
        return redirect(url_for("webui.list_decisions", said="forgotten"), 303)
    save_view(rooms(), caller(), name, query)
    return redirect(_address(query, said="saved"), 303)


def _address(query: str, **others: Any) -> str:
    """The queue's address with the filters that a kept query names; what else it holds is left out."""
    known: dict[str, Any] = {name: text for name, text in parse_qsl(query) if name in FILTERS}
    return url_for("webui.list_decisions", **known, **others)


def first_page() -> str:
    """Where somebody begins: with the decisions that wait, where they may read any; signed out, with signing in."""
    try:
        principal = rooms().access.principal_of_session(session_token())
    except SecondFactorNeeded:  # the page leads to the step that is still to come
        return url_for("webui.list_models")
    except NotAuthenticated:
        return url_for("webui.sign_in", next=url_for("webui.home"))
    reads = rooms().access.may(principal, Permission.DECISION_READ)
    return url_for("webui.list_decisions" if reads else "webui.list_models")


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/decisions", view_func=list_decisions)
    blueprint.add_url_rule("/decisions/next", view_func=go_to_next)
    blueprint.add_url_rule("/decisions/views", view_func=keep_view, methods=["POST"])
    blueprint.add_url_rule("/decisions/<decision_id>/assign", view_func=assign_decision, methods=["POST"])
