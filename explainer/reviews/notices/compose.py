"""Builds a notice from stored facts, a jurisdiction's template and a language's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from explainer.errors import Conflict, InvalidOption, NoticeBlocked, Problem
from explainer.reviews.notices.catalogue import Catalogue, catalogue
from explainer.reviews.notices.clean import cleaned
from explainer.reviews.notices.document import Document
from explainer.reviews.notices.facts import NoticeFacts
from explainer.reviews.notices.saying import Saying, conditions, sentences
from explainer.reviews.notices.sections import blocks
from explainer.reviews.notices.template import Template, addition, template

T = TypeVar("T")


def compose(facts: NoticeFacts, jurisdiction: str, language: str, packet: bool = False) -> Document:
    """Return the notice of one decision; `packet` gives the person's fuller record, which needs `facts.record`.

    Raises InvalidOption for an unknown jurisdiction or language and where the sender's facts are not set, Conflict
    where the outcome is not adverse (a packet is made all the same), NoticeBlocked where findings bar the notice.
    """
    form = template(jurisdiction)
    if problems := missing(facts, jurisdiction):
        raise InvalidOption(f"The notice cannot be written: {problems[0].detail}", problems=problems)
    _allowed(facts, packet)
    return _document(_cleaned(facts), form, catalogue(language), packet)


def missing(facts: NoticeFacts, jurisdiction: str) -> tuple[Problem, ...]:
    """Return what the sender's settings lack for a notice; raises InvalidOption for an unknown jurisdiction."""
    variables = {name: f"EXPLAINER_NOTICE_{name.upper()}" for name in ("address", "contact", "agency")}
    variables["name"] = "EXPLAINER_NOTICE_SENDER"
    return tuple(
        Problem(f"sender.{need}", "required", f"set {variables[need]}: a notice of {jurisdiction!r} has to state it.")
        for need in template(jurisdiction).needs
        if not getattr(facts.sender, need).strip()
    )


def _allowed(facts: NoticeFacts, fuller: bool) -> None:
    if fuller and facts.record is None:
        raise InvalidOption("packet: no stored explanation of this decision is at hand, so there is no record of it.")
    if not facts.adverse and not fuller:
        raise Conflict(f"The outcome that stands is {facts.outcome!r}: there is no adverse decision to give notice of.")
    if not facts.adverse:
        return
    found = list(facts.blocked) or ([] if facts.reasons else ["There is no reason to state."])
    if found:
        problems = [Problem("reasons", "blocked", detail) for detail in found]
        raise NoticeBlocked(f"The notice is blocked: {found[0]}", problems=problems)


def _document(facts: NoticeFacts, form: Template, words: Catalogue, fuller: bool) -> Document:
    said = Saying(facts, words, sentences(facts, words), conditions(facts, words.code))
    sections = [*form.sections, *(addition().sections if fuller else ())]
    small = [s for s in sections if s.kind == "small"]  # small print stands at the end
    ordered = [*(s for s in sections if s.kind != "small"), *small]
    return Document(
        title=words.say(addition().title if fuller else form.title),
        language=words.code,
        author=facts.sender.name,
        date=facts.decided_at,
        blocks=tuple(block for section in ordered for block in blocks(section, said)),
        page_words=words.texts["pdf.page"],
        missing_words=words.texts["pdf.missing"],
    )


def _cleaned(thing: T) -> T:
    """The same facts with every text of them cleaned."""
    changes: dict[str, Any] = {}
    for field in fields(thing):  # type: ignore[arg-type]
        value = getattr(thing, field.name)
        if isinstance(value, str):
            changes[field.name] = cleaned(value)
        elif is_dataclass(value):
            changes[field.name] = _cleaned(value)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(_each(value))
    return replace(thing, **changes)  # type: ignore[type-var]


def _each(values: Sequence[Any]) -> list[Any]:
    return [cleaned(v) if isinstance(v, str) else _cleaned(v) if is_dataclass(v) else v for v in values]
