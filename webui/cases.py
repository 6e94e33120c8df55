"""The page of one case: what was decided and why, what would be otherwise, and a person's verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from explainer.access.permissions import Permission
from explainer.disclosure.words import reason_lines
from explainer.errors import Conflict, ExplainerError, InvalidOption, NotPermitted, Problem
from explainer.records import Feature
from explainer.reviews.rules import KINDS, Wish
from explainer.usecases.admit import needs
from explainer.usecases.case_pages import CasePage, case_page
from explainer.usecases.case_tools import Tried, alike, look_for_changes, try_values
from explainer.usecases.cases import CaseFile
from explainer.usecases.verdicts import enter
from webui import case_charts, case_words, charts
from webui.queue import Filters
from webui.row_form import PREFIX, fields, typed_row
from webui.session import caller, rooms, serving

MOST_ENTRIES = 9  # digits
FIELDS = ("kind", "reason", "text", "assignee", "outcome")
UNFIT = (InvalidOption, Conflict, NotPermitted)  # said beside the form, with what was typed


@needs(Permission.DECISION_READ)
def show_decision(decision_id: str) -> BaseResponse:
    return _page(decision_id)


@needs(Permission.VERDICT_CREATE)
def give_verdict(decision_id: str) -> BaseResponse:
    """Enter it and show the case again; what cannot be entered comes back with the words that were typed."""
    form = {name: request.form.get(name, "") for name in FIELDS}
    try:
        if form["kind"] not in KINDS:
            raise InvalidOption("kind: choose what you decide.", problems=[Problem("kind", "one-of", "Choose one.")])
        wish = Wish(entries=_entries(), **form)  # type: ignore[arg-type]
        _, verdict = enter(rooms(), caller(), decision_id, wish)
    except UNFIT as error:
        return _page(decision_id, error.status, typed=form, complaint=error, problems=_problems(error))
    asked = {"done": verdict.number, "at": request.args.get("at", "0"), **Filters.of(request.args).asked()}
    return redirect(url_for("webui.show_decision", decision_id=decision_id, **asked), 303)


@needs(Permission.DECISION_READ)
def try_other_values(decision_id: str) -> BaseResponse:
    """The prediction and its reasons with the values of the form; nothing is kept."""
    return _section(
        decision_id, "what_if", lambda: _what_if(try_values(rooms(), serving(), caller(), decision_id, _typed))
    )


@needs(Permission.DECISION_READ)
def show_changes(decision_id: str) -> BaseResponse:
    """What would change the outcome."""
    return _section(decision_id, "changes", lambda: look_for_changes(rooms(), serving(), caller(), decision_id))


@needs(Permission.DECISION_READ)
def show_similar(decision_id: str) -> BaseResponse:
    """Rows of the background as a group, and past decisions."""
    return _section(decision_id, "similar", lambda: alike(rooms(), serving(), caller(), decision_id))


def _section(decision_id: str, name: str, ask: Callable[[], Any]) -> BaseResponse:
    """The answer as a part of the page, or on the whole page for a browser that sent the form itself."""
    answer, error = None, None
    try:
        answer = ask()
    except ExplainerError as found:  # where even the case may not be read, the whole page raises it again
        error = found
    status = 200 if error is None else error.status
    if request.headers.get("X-Fragment") == "1":
        context = {"answer": answer, "error": error, "told": case_words, "decision_id": decision_id}
        return make_response(render_template(f"case_{name}.html", fragment=True, asked=_asked(), **context), status)
    return _page(decision_id, status, **{name: (answer, error)})


def _page(decision_id: str, status: int = 200, **more: Any) -> BaseResponse:
    page = case_page(rooms(), caller(), decision_id)
    body = render_template(
        "case.html",
        page=page,
        file=page.file,
        asked=_asked(),
        told=case_words,
        kinds=KINDS,
        me=caller().principal.id,
        decision_id=decision_id,
        queue_of=_queue_of,
        share_width=case_charts.share_width,
        **_drawn(page, more.get("what_if", (None, None))[1]),
        **{"typed": {}, "problems": {}, "complaint": None, **more},
    )
    return make_response(body, status)


def _asked() -> dict[str, Any]:
    """The queue that the reader came from, and where in it this case stood."""
    return {"at": request.args.get("at", "0"), **Filters.of(request.args).asked()}


def _queue_of(asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the queue's own address."""
    return {name: text for name, text in asked.items() if name != "at"}


def _drawn(page: CasePage, unfit: ExplainerError | None) -> dict[str, Any]:
    """Charts, and the row with its places, as far as they may be seen."""
    file, manifest = page.file, None if page.file.version is None else page.file.version.manifest
    features = () if manifest is None else manifest.features
    open_to_all = manifest is not None and file.policy.drawn and not file.hidden and file.case.particulars is not None
    shap, lime = (file.shap, file.lime) if open_to_all else (None, None)
    typed = {**page.row, **_typed(features)} if page.row else None
    standings = page.standings or (None,) * len(features)
    row = [(f, page.row[f.name], s) for f, s in zip(features, standings, strict=True) if f.name in page.row]
    return {
        "manifest": manifest,
        "spec": None if manifest is None else manifest.decision,
        "picture": _picture(file) if open_to_all else None,
        "shap": shap,
        "waterfall": None if shap is None else charts.waterfall(shap),
        "lime": lime,
        "opinions": None if shap is None or lime is None else case_charts.opinions(shap, lime),
        "basis_exact": file.basis is not None and file.basis.method.exact,
        "leading": [] if shap is None else reason_lines(shap, features),
        "row": [(f, value, s, () if s is None else case_charts.histogram(s)) for f, value, s in row],
        "values": [page.row.get(f.name) for f in features],
        "fields": [] if typed is None else fields(features, typed, unfit.problems if unfit else ()),
    }


def _picture(file: CaseFile) -> case_charts.ScorePicture | None:
    spec = None if file.version is None else file.version.manifest.decision
    if file.version is None or spec is None:
        return None
    facts, share = file.case.facts, file.version.manifest.task == "classification"
    above = spec.adverse_when == "at_or_above"
    return case_charts.score_picture(facts.score, facts.threshold, share=share, adverse_above=above)


def _what_if(found: Tried) -> dict[str, Any]:
    """Where the score goes and which pushes move, beside what was tried."""
    manifest, facts, now = found.answer.version.manifest, found.case.facts, found.answer
    spec, share = manifest.decision, manifest.task == "classification"
    above = spec is None or spec.adverse_when == "at_or_above"
    return {
        "facts": facts,
        "now": now,
        "share": share,
        "spec": None if spec is None else replace(spec, threshold=facts.threshold),
        "picture": case_charts.score_picture(
            now.score, facts.threshold, share=share, adverse_above=above, before=facts.score
        ),
        "moves": case_words.swayed(found.before, now.explanation, manifest.features),
        "output": now.explanation.output,
    }


def _typed(features: Sequence[Feature]) -> dict[str, Any]:
    """The values in the form, where it was sent; a field that cannot be changed is not among them."""
    return typed_row([f for f in features if PREFIX + f.name in request.form], request.form)


def _entries() -> int:
    """How many entries the case had when the form was made; -1, which fits no case, where that does not say."""
    text = request.form.get("entries", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_ENTRIES else -1


def _problems(error: ExplainerError) -> dict[str, str]:
    """What is wrong with which field of the form."""
    if error.problems:
        return {p.where: p.detail for p in error.problems}
    name, _, detail = error.detail.partition(": ")
    return {name: detail} if name in FIELDS and isinstance(error, InvalidOption) else {}


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/decisions/<decision_id>", view_func=show_decision)
    for name, view in (
        ("verdict", give_verdict),
        ("what-if", try_other_values),
        ("changes", show_changes),
        ("similar", show_similar),
    ):
        blueprint.add_url_rule(f"/decisions/<decision_id>/{name}", view_func=view, methods=["POST"])
