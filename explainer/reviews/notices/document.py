"""A notice as one structured document, of which the page and the PDF are two forms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class SmallPrint:
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `ordered` where the order says something."""

    entries: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and what they stand for."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its heading; `numeric` are the columns that hold numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


Block = Heading | Paragraph | SmallPrint | Items | Pairs | Table


@dataclass(frozen=True, slots=True)
class Document:
    """`language` is a code such as `en`, `date` that of the decision in ISO 8601; `words` are those of the forms."""

    title: str
    language: str
    author: str
    date: str
    blocks: tuple[Block, ...]
    page_words: str  # with {page} and {pages}
    missing_words: str  # with {letters}


def texts(document: Document) -> list[str]:
    """Every text of the document in reading order, for whoever compares its forms."""
    found = [document.title]
    for block in document.blocks:
        match block:
            case Heading(text) | Paragraph(text) | SmallPrint(text):
                found.append(text)
            case Items(entries):
                found += entries
            case Pairs(pairs):
                found += [cell for pair in pairs for cell in pair]
            case Table(caption, columns, rows):
                found += [caption, *columns, *(cell for row in rows for cell in row)]
    return found
