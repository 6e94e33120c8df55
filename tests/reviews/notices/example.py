"""Facts of a decision that the tests of notices share, and how a PDF is read back."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

from pypdf import PdfReader

from explainer.reviews.notices import Datum, NoticeFacts, Push, ReasonLine, Record, Review, Sender

SENDER = Sender(
    "Nordbank AG", "Lindenstraße 5\n10969 Berlin", "kredit@nordbank.example", "Agency, 1 G Street, Washington"
)
DATA = (
    Datum("duration months", 24, "months that the loan runs"),
    Datum("credit amount", 1234567.89, "amount asked for"),
    Datum("checking status", None, "balance of the checking account"),
    Datum("employed", True),
    Datum("purpose", "new car", "what the money is for"),
)
PUSHES = tuple(
    Push(item.label, item.value, attribution, half_width)
    for item, attribution, half_width in zip(
        DATA, (0.123456789, -0.0456, 2.0, 1e-7, 0.0), (0.01, 0.002, None, 0.03, 0.0), strict=True
    )
)
UPHELD = Review("uphold", "2026-11-21T10:00:00+00:00", "declined", "The income was checked.")
RECORD = Record(
    score=0.7312,
    threshold=0.4,
    adverse_when="at_or_above",
    prediction=0.731234567,
    expected_value=-0.25,
    output="probability",
    class_name="bad",
    pushes=PUSHES,
    exact=False,
    confidence=0.95,
    method="permutation",
    method_version=2,
    background="default:0123456789ab",
    evaluations=4096,
    additivity_gap=1e-16,
    receipt="r-0123456789abcdef",
    model_digest="a" * 64,
    answer_digest="b" * 64,
    warnings=("The row lies outside what the background shows.",),
    history=(UPHELD,),
)
FACTS = NoticeFacts(
    sender=SENDER,
    outcome="declined",
    adverse=True,
    decided_at="2026-11-20T09:30:00+00:00",
    model="credit-xgb",
    version="1.0",
    purpose="Estimates whether a consumer loan will be repaid.",
    reasons=(ReasonLine("The loan runs for a long time"), ReasonLine("Few savings"), ReasonLine("Many loans")),
    data=DATA,
    reference="A-2026/117",
    review=UPHELD,
    record=RECORD,
)


def facts(**changes: Any) -> NoticeFacts:
    return replace(FACTS, **changes)


def pdf_text(data: bytes) -> str:
    """Everything that the pages say, without blanks and without the line at each foot."""
    pages = PdfReader(io.BytesIO(data)).pages
    return "".join(packed(re.sub(r"(Page|Seite) \d+ (of|von|sur) \d+", "", page.extract_text())) for page in pages)


def packed(text: str) -> str:
    """The text without blanks, which a line's end in a PDF may eat or add."""
    return re.sub(r"\s+", "", text)
