"""What the sentences of a notice are filled with, and under which conditions they are said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explainer.reviews.notices.catalogue import Catalogue
from explainer.reviews.notices.facts import DECIDING, NoticeFacts, Record
from explainer.reviews.notices.template import Said


@dataclass(frozen=True, slots=True)
class Saying:
    """Facts and words, with the values for places in texts, and which conditions hold."""

    facts: NoticeFacts
    words: Catalogue
    values: Mapping[str, str]
    holds: frozenset[str]

    def wanted(self, when: str) -> bool:
        return not when or when in self.holds

    def all(self, texts: tuple[Said, ...]) -> list[str]:
        return [self.words.say(said.key, **self.values) for said in texts if self.wanted(said.when)]


def sentences(facts: NoticeFacts, words: Catalogue) -> dict[str, str]:
    """Return the values that any text may name in braces."""
    told = words.has(f"languages.{facts.texts_language}")
    found = {
        "name": facts.sender.name,
        "address": facts.sender.address,
        "contact": facts.sender.contact,
        "agency": facts.sender.agency,
        "reference": facts.reference,
        "date": words.date(facts.decided_at),
        "outcome": facts.outcome,
        "purpose": facts.purpose,
        "model": facts.model,
        "version": facts.version,
        "texts_language": words.say(f"languages.{facts.texts_language if told else 'other'}"),
    }
    if facts.record is not None:
        found |= _recorded(facts.record, words)
    return found


def _recorded(record: Record, words: Catalogue) -> dict[str, str]:
    return {
        "method": record.method,
        "method_version": str(record.method_version),
        "confidence": words.number(100 * record.confidence),
    }


def conditions(facts: NoticeFacts, language: str) -> frozenset[str]:
    """Return the names of all conditions that hold."""
    record = facts.record
    by_model = facts.reasons_by == "model"
    told = {
        "adverse": facts.adverse,
        "address": bool(facts.sender.address),
        "reference": bool(facts.reference),
        "model": by_model,
        "person": not by_model,
        "average": by_model and facts.basis == "average",
        "approved": by_model and facts.basis == "approved",
        "unsure": by_model and not facts.order_certain,
        "foreign": facts.texts_language != language,
        "translated": language != "en",
        "unreviewed": facts.review is None or facts.review.kind not in DECIDING,
    }
    if record is not None:
        told |= {
            "exact": record.exact,
            "sampled": not record.exact,
            "class": record.class_name is not None,
            "gap": record.additivity_gap is not None,
            "warned": bool(record.warnings),
            "unwarned": not record.warnings,
            "unreviewed_ever": not record.history,
        }
    return frozenset(name for name, holds in told.items() if holds)
