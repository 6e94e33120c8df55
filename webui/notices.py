"""The notice of a decision as a page, and as a letter to download."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.errors import Conflict, InvalidOption
from explainer.reviews.notices import html
from explainer.reviews.notices.catalogue import catalogue, languages
from explainer.usecases.admit import needs
from explainer.usecases.notices import Made, NoticeWish, notice
from webui.session import caller, rooms


@needs(Permission.NOTICE_READ)
def show_notice(decision_id: str) -> BaseResponse:
    """The page; with `form=pdf` the file. What stands in the way of a notice is said in its place."""
    wish = NoticeWish(
        language=request.args.get("language", "")[:8] or rooms().settings.notice_language,
        packet=request.args.get("packet") == "1",
        form="pdf" if request.args.get("form") == "pdf" else "json",
    )
    made: Made | None = None
    error: Conflict | InvalidOption | None = None
    try:
        made = notice(rooms(), caller(), decision_id, wish)
    except (Conflict, InvalidOption) as found:
        error = found
    if made is not None and wish.form == "pdf":
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
        response = make_response(made.content, headers)
        response.mimetype = made.media_type
        return response
    page = render_template(
        "notice.html",
        document=None if made is None else Markup(html(made.document)),  # noqa: S704 - escaped by its renderer
        title="Notice" if made is None else made.document.title,
        problem=None if error is None else error.detail,
        problems=() if error is None else error.problems,
        decision_url=url_for("webui.show_decision", decision_id=decision_id),
        pdf_url=_address(decision_id, wish, form="pdf"),
        languages=[
            {
                "code": code,
                "name": catalogue(code).name,
                "url": _address(decision_id, wish, language=code),
                "here": code == wish.language,
            }
            for code in languages()
        ],
        packet=_other(decision_id, wish),
    )
    return make_response(page, 200 if error is None else error.status)


def _other(decision_id: str, wish: NoticeWish) -> dict[str, str]:
    if wish.packet:
        return {"name": "The notice alone", "url": _address(decision_id, wish, packet=None)}
    return {"name": "The fuller packet for the person", "url": _address(decision_id, wish, packet=1)}


def _address(decision_id: str, wish: NoticeWish, **changes: Any) -> str:
    asked = {"language": wish.language, "packet": 1 if wish.packet else None, **changes}
    return url_for("webui.show_notice", decision_id=decision_id, **asked)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/decisions/<decision_id>/notice", view_func=show_notice)
