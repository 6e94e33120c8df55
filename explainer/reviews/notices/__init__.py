"""Notices of decisions: one structured document from stored facts, and its forms as a page and as a PDF."""

from explainer.reviews.notices.as_html import html
from explainer.reviews.notices.as_pdf import pdf
from explainer.reviews.notices.catalogue import languages
from explainer.reviews.notices.compose import compose, missing
from explainer.reviews.notices.document import Document
from explainer.reviews.notices.facts import Datum, NoticeFacts, Push, ReasonLine, Record, Review, Sender
from explainer.reviews.notices.template import jurisdictions

__all__ = [
    "Datum",
    "Document",
    "NoticeFacts",
    "Push",
    "ReasonLine",
    "Record",
    "Review",
    "Sender",
    "compose",
    "html",
    "jurisdictions",
    "languages",
    "missing",
    "pdf",
]
