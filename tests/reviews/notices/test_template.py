"""Proves that templates name only what there is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from explainer.reviews.notices.catalogue import catalogue
from explainer.reviews.notices.saying import conditions
from explainer.reviews.notices.sections import KINDS
from explainer.reviews.notices.template import Template, addition, jurisdictions, template
from tests.reviews.notices.example import FACTS, RECORD

EVERY = [*(template(name) for name in jurisdictions()), addition()]
OPPOSITE = replace(
    FACTS,
    adverse=False,
    reference="",
    reasons_by="person",
    order_certain=True,
    texts_language="de",
    review=None,
    record=replace(RECORD, exact=True, warnings=(), history=()),
)
CASES = (FACTS, replace(FACTS, basis="approved", order_certain=False), OPPOSITE, replace(FACTS, sender=FACTS.sender))
KNOWN = frozenset().union(*(conditions(case, language) for case in CASES for language in ("en", "fr")))


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.name)
def test_what_a_template_names_exists(form: Template) -> None:
    """Kinds, texts, rows and conditions are known; a misspelt condition would silently leave a sentence out."""
    texts = catalogue("en").texts
    assert form.title in texts
    for section in form.sections:
        assert section.kind in {*KINDS, "small"}
        assert not section.heading or section.heading in texts
        for said in (*section.texts, *section.items, *section.after):
            assert said.key in texts, said
        for row in section.rows:
            assert f"row.{row.key}" in texts, row
        for said in (*section.texts, *section.items, *section.after, *section.rows):
            assert not said.when or said.when in KNOWN, said
        assert not section.when or section.when in KNOWN


@pytest.mark.parametrize("form", EVERY, ids=lambda form: form.name)
def test_facts_of_the_sender_that_are_named_are_needed(form: Template) -> None:
    """No sentence or row is left with a hole: what it says of the sender is required before a notice is written."""
    texts, holders = catalogue("en").texts, {"sender": "name", "creditor": "name", "controller": "name"}
    for section in form.sections:
        for said in (*section.texts, *section.items, *section.after):
            named = set(re.findall(r"\{(name|address|contact|agency)\}", texts[said.key]))
            assert named <= set(form.needs), said
        for row in section.rows:
            fact = holders.get(row.key, row.key)
            assert fact not in ("name", "address", "contact") or fact in form.needs or row.when == fact, row
