"""The blocks of each kind of section."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explainer.errors import InvalidOption
from explainer.reviews.notices.document import Block, Heading, Items, Pairs, Paragraph, SmallPrint, Table
from explainer.reviews.notices.facts import DECIDING, Record, Review
from explainer.reviews.notices.saying import Saying
from explainer.reviews.notices.template import Section


def blocks(section: Section, said: Saying) -> list[Block]:
    """Return the blocks of one section; none where its condition does not hold."""
    if not said.wanted(section.when):
        return []
    if section.kind == "small":
        return [SmallPrint(text) for text in said.all(section.texts)]
    found: list[Block] = [Heading(said.words.say(section.heading))] if section.heading else []
    found += [Paragraph(text) for text in said.all(section.texts)]
    found += KINDS[section.kind](section, said)
    return [*found, *(Paragraph(text) for text in said.all(section.after))]


def _text(section: Section, said: Saying) -> Iterator[Block]:
    return iter(())


def _list(section: Section, said: Saying) -> Iterator[Block]:
    yield Items(tuple(said.all(section.items)))


def _pairs(section: Section, said: Saying) -> Iterator[Block]:
    rows = [row.key for row in section.rows if said.wanted(row.when)]
    yield Pairs(tuple((said.words.say(f"row.{row}"), _cell(row, said)) for row in rows))


def _cell(row: str, said: Saying) -> str:
    if row in ("sender", "creditor", "controller"):
        return said.values["name"]
    if row == "action":
        return said.values["outcome"]
    return said.values[row] if row in ("address", "contact", "reference", "date", "outcome") else _measured(row, said)


def _measured(row: str, said: Saying) -> str:
    record, words = _record(said), said.words
    told: dict[str, Callable[[], str]] = {
        "score": lambda: words.number(record.score),
        "threshold": lambda: words.number(record.threshold),
        "prediction": lambda: words.number(record.prediction),
        "expected": lambda: words.number(record.expected_value),
        "space": lambda: words.say(f"unit.{record.output}"),
        "class": lambda: str(record.class_name),
        "model": lambda: words.say("record.model", **said.values),
        "method": lambda: words.say("record.method", **said.values),
        "background": lambda: record.background,
        "evaluations": lambda: str(record.evaluations),
        "gap": lambda: words.number(record.additivity_gap),
        "receipt": lambda: record.receipt,
        "digest": lambda: record.model_digest,
        "answer": lambda: record.answer_digest,
    }
    return told[row]()


def _reasons(section: Section, said: Saying) -> Iterator[Block]:
    lines = tuple(reason.text for reason in said.facts.reasons)
    yield Items(lines, ordered=said.facts.reasons_by == "model")


def _data(section: Section, said: Saying) -> Iterator[Block]:
    words = said.words
    described = any(item.description for item in said.facts.data)
    columns = ["data.item", "data.value", *(["data.description"] if described else [])]
    rows = [(item.label, words.value(item.value), item.description)[: len(columns)] for item in said.facts.data]
    yield Table(words.say("heading.data"), tuple(map(words.say, columns)), tuple(rows))


def _review(section: Section, said: Saying) -> Iterator[Block]:
    review, words = said.facts.review, said.words
    if review is None or review.kind not in DECIDING:
        return
    yield Paragraph(
        words.say(f"review.{review.kind}", review_date=words.date(review.at), review_outcome=review.outcome)
    )
    if review.reason:
        yield Paragraph(words.say("review.reason", review_reason=review.reason))


def _pushes(section: Section, said: Saying) -> Iterator[Block]:
    record, words = _record(said), said.words
    columns = ["pushes.item", "pushes.value", "pushes.share", *([] if record.exact else ["pushes.margin"])]
    rows = [
        (push.label, words.value(push.value), words.number(push.attribution), words.number(push.half_width))
        for push in record.pushes
    ]
    cut = tuple(row[: len(columns)] for row in rows)
    yield Table(words.say("heading.pushes"), tuple(map(words.say, columns)), cut, numeric=tuple(range(2, len(columns))))


def _warnings(section: Section, said: Saying) -> Iterator[Block]:
    if found := _record(said).warnings:
        yield Items(found)


def _history(section: Section, said: Saying) -> Iterator[Block]:
    if found := _record(said).history:
        yield Items(tuple(_entry(review, said) for review in found), ordered=True)


def _entry(review: Review, said: Saying) -> str:
    words = said.words
    text = words.say(f"history.{review.kind}", at=words.date(review.at), outcome=review.outcome)
    return f"{text} {words.say('history.reason', reason=review.reason)}" if review.reason else text


def _record(said: Saying) -> Record:
    if said.facts.record is None:
        raise InvalidOption("packet: no stored explanation of this decision is at hand, so there is no record of it.")
    return said.facts.record


KINDS: dict[str, Callable[[Section, Saying], Iterator[Block]]] = {
    "text": _text,
    "list": _list,
    "pairs": _pairs,
    "reasons": _reasons,
    "review": _review,
    "data": _data,
    "pushes": _pushes,
    "warnings": _warnings,
    "history": _history,
}
