"""Proves that the page form says what the document says, and that nothing of others becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.reviews.notices import Datum, Document, ReasonLine, compose, html, jurisdictions, languages
from explainer.reviews.notices.clean import cleaned
from explainer.reviews.notices.document import texts
from tests.reviews.notices.example import FACTS, facts
from tests.webui.site import outline

ALLOWED = {"article", "h1", "h2", "p", "ol", "ul", "li", "dl", "div", "dt", "dd", "br"}
ALLOWED |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """The texts of a page in order, `br` as a line's end."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts += [""] if tag != "br" else []
        self.parts[-1] += "\n" if tag == "br" else ""

    def handle_endtag(self, tag: str) -> None:
        self.parts.append("")

    def handle_data(self, data: str) -> None:
        self.parts[-1] += data


def said(document: Document) -> list[str]:
    reader = Reader()
    reader.feed(html(document))
    return [part for part in reader.parts if part.strip()]


@pytest.mark.parametrize(("jurisdiction", "language"), list(product(jurisdictions(), languages())))
def test_the_page_says_what_the_document_says(jurisdiction: str, language: str) -> None:
    """Every text of the document stands in the page, in order, and no other."""
    document = compose(FACTS, jurisdiction, language, packet=True)
    assert said(document) == [text for text in texts(document) if text]
    found = outline(html(document))
    assert set(found.tags) <= ALLOWED
    assert ("article", "lang", language) in found.attributes
    assert found.tags.count("h1") == 1


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_of_others_is_markup(label: str, value: str) -> None:
    """Whatever a value or a reason holds, the page has the same tags and attributes."""
    hostile = facts(
        data=(Datum(label, value, value),), reasons=(ReasonLine(value),), outcome=label, purpose=value, reference="x"
    )
    plain = facts(data=(Datum("a", "b", "c"),), reasons=(ReasonLine("d"),), outcome="e", purpose="f", reference="x")
    tags = [t for t in outline(html(compose(hostile, "generic", "en"))).tags if t != "br"]
    expected = outline(html(compose(plain, "generic", "en"))).tags
    assert tags == [t for t in expected if t != "br"] or not cleaned(
        value
    )  # without a description its column is left out


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onmouseover="alert(1)', "a&lt;b", "x" * 5000, "שלום"])
def test_hostile_names_are_text(text: str) -> None:
    """They are read back as they were given, in a cell of their own."""
    document = compose(facts(data=(Datum(text, text, text),)), "eu-gdpr", "en")
    assert said(document).count(text) == 3
