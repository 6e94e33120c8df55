"""Proves that the PDF says what the document says, the same bytes each time, and loses no letter silently."""

from __future__ import annotations

import io
import subprocess
import sys
from hashlib import sha256
from itertools import product

import pytest
from pypdf import PdfReader

from explainer.reviews.notices import Datum, Push, ReasonLine, Record, compose, jurisdictions, languages, pdf
from explainer.reviews.notices.document import Items, Table, texts
from explainer.settings import SettingsError
from tests.reviews.notices.example import FACTS, RECORD, facts, packed, pdf_text


@pytest.mark.parametrize(("jurisdiction", "language"), list(product(jurisdictions(), languages())))
def test_the_pdf_says_what_the_document_says(jurisdiction: str, language: str) -> None:
    """Headings, sentences, lists and every number stand in the PDF in the document's order."""
    document = compose(FACTS, jurisdiction, language, packet=True)
    told, at = pdf_text(pdf(document)), 0
    captions = {block.caption for block in document.blocks if isinstance(block, Table)}
    bullets = {entry for block in document.blocks if isinstance(block, Items) for entry in block.entries}
    for text in texts(document):
        if text in captions and packed(text) not in told[at:]:
            continue  # a caption is the heading above its table
        found = told.find(packed(text), at)
        assert found >= 0, (text, text in bullets)
        at = found if text in captions else found + len(packed(text))


def test_it_says_what_it_is() -> None:
    """Title, author, language, the decision's day and headings stand in the file, and its letters are its own."""
    reader = PdfReader(io.BytesIO(pdf(compose(FACTS, "generic", "de"))))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("Mitteilung über eine Entscheidung", "Nordbank AG")
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.isoformat() == "2026-11-20T09:30:00+00:00"
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert next(str(entry["/Title"]) for entry in reader.outline if isinstance(entry, dict)) == "Was entschieden wurde"
    assert (round(reader.pages[0].mediabox.width), round(reader.pages[0].mediabox.height)) == (595, 842)
    fonts = {str(f["/BaseFont"]).split("+")[-1] for f in reader.pages[0]["/Resources"]["/Font"].values()}
    assert fonts == {"DejaVuSansBook", "DejaVuSansBold"}


def test_the_same_document_gives_the_same_bytes() -> None:
    """Here and in another process, whatever its hash seed."""
    program = (
        "import hashlib\nfrom explainer.reviews.notices import compose, pdf\n"
        "from tests.reviews.notices.example import FACTS\n"
        "print(hashlib.sha256(pdf(compose(FACTS, 'us-ecoa', 'fr', True))).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": "1"}, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == sha256(pdf(compose(FACTS, "us-ecoa", "fr", packet=True))).hexdigest()


def test_no_letter_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Making a PDF logs nothing, so that nothing of a notice stands in a log."""
    caplog.set_level("INFO")
    pdf(compose(FACTS, "generic", "en"))
    assert caplog.records == []


def test_letters_of_europe_are_there() -> None:
    """Latin, Greek and Cyrillic letters are printed as they are, and no line speaks of missing ones."""
    text = "Łukasz Žižek Ångström Ελλάδα Ґанок Съёмка ẞß œ ő ș İğ № € −"
    told = pdf_text(pdf(compose(facts(reasons=(ReasonLine(text),)), "generic", "en")))
    assert packed(text) in told
    assert "▯" not in told


def test_a_letter_without_a_glyph_is_named() -> None:
    """It is shown as a box, and a line at the end says which letters the boxes are."""
    told = pdf_text(pdf(compose(facts(reasons=(ReasonLine("שלום 漢 <b>"),)), "generic", "en")))
    assert "▯▯▯▯▯<b>" in told
    for name in ("U+05DC HEBREW LETTER LAMED", "U+6F22 CJK UNIFIED IDEOGRAPH-6F22"):
        assert packed(name) in told


@pytest.mark.parametrize("text", ["ж" * 90, "<script>alert(1)</script>", "{nb} **bold** \\n", "q\n\n\nz", "'\"()\\"])
def test_hostile_texts_are_printed(text: str) -> None:
    """Very long words are broken, and nothing in a text is a command to whoever prints it."""
    hostile = facts(outcome=text, reasons=(ReasonLine(text),), data=(Datum(text, text, text),))
    assert pdf_text(pdf(compose(hostile, "generic", "en"))).count(packed(text)) == 6


@pytest.mark.parametrize("text", ["ж" * 3000, "ж\n" * 300, "ж " * 2000])
def test_a_text_longer_than_a_page_is_whole(text: str) -> None:
    """No letter of a cell is lost, although its row goes over pages."""
    hostile = facts(data=(Datum("label", text, text), Datum(text, 1, "")))
    assert pdf_text(pdf(compose(hostile, "generic", "en"))).count("ж") == 3 * text.count("ж")


def test_three_hundred_features() -> None:
    """A wide row goes over several pages, each with the table's head and its number, and no line is lost."""
    names = [f"feature number {i}" for i in range(300)]
    record = Record(**{**{f: getattr(RECORD, f) for f in RECORD.__dataclass_fields__}, "pushes": tuple(
        Push(name, i, i / 7, 0.01) for i, name in enumerate(names)
    )})  # fmt: skip
    document = compose(
        facts(data=tuple(Datum(n, i) for i, n in enumerate(names)), record=record), "generic", "en", True
    )
    reader = PdfReader(io.BytesIO(pdf(document)))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) > 10
    assert [f"Page {i} of {len(pages)}" in page for i, page in enumerate(pages, start=1)] == [True] * len(pages)
    assert all(f"feature number {i}\n" in "\n".join(pages).replace(f"number {i} ", f"number {i}\n") for i in range(300))


def test_without_the_extra_it_says_what_to_install() -> None:
    """Where fpdf2 is not installed the error names the extra; importing notices needs nothing of it."""
    program = (
        "import sys\nsys.modules['fpdf'] = None\n"
        "from explainer.reviews.notices import compose, html, pdf\nfrom tests.reviews.notices.example import FACTS\n"
        "document = compose(FACTS, 'generic', 'en'); assert html(document)\n"
        "from explainer.settings import SettingsError\n"
        "try:\n    pdf(document)\nexcept SettingsError as error:\n    print(error.detail)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == (
        "Notices as PDF need the library fpdf2: install the extra with pip install 'explainer[pdf]'."
    )
    assert issubclass(SettingsError, Exception)
