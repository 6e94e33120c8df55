"""A notice as a PDF with its own font; the library for it is an extra and is loaded when the first one is asked for."""

from __future__ import annotations

from explainer.reviews.notices.document import Document
from explainer.settings import SettingsError


def pdf(document: Document) -> bytes:
    """Return the document as A4 pages; the same document gives the same bytes.

    A letter that the font lacks is shown as ▯, and a line at the end says so and names it. Raises SettingsError where
    the extra `pdf` is not installed.
    """
    try:
        from explainer.reviews.notices.sheet import printed
    except ModuleNotFoundError as error:
        if error.name != "fpdf":
            raise
        detail = "Notices as PDF need the library fpdf2: install the extra with pip install 'explainer[pdf]'."
        raise SettingsError(detail) from None
    return printed(document)
