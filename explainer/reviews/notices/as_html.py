"""A notice as a fragment of a page: every text is escaped, none of it is markup."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from explainer.reviews.notices.document import Block, Document, Heading, Items, Pairs, Paragraph, SmallPrint, Table


def html(document: Document) -> str:
    """Return an `article` in the document's language, without style, script or address; headings from h1 on."""
    body = "\n".join(part for block in document.blocks for part in _block(block))
    head = f'<article class="notice" lang="{_text(document.language)}">\n<h1>{_text(document.title)}</h1>'
    return f"{head}\n{body}\n</article>"


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{_text(text)}</h2>"
        case Paragraph(text):
            yield f"<p>{_text(text)}</p>"
        case SmallPrint(text):
            yield f'<p class="small">{_text(text)}</p>'
        case Items(entries, ordered):
            tag = "ol" if ordered else "ul"
            yield f"<{tag}>"
            yield from (f'<li dir="auto">{_text(entry)}</li>' for entry in entries)
            yield f"</{tag}>"
        case Pairs(rows):
            yield "<dl>"
            yield from (f'<div><dt>{_text(a)}</dt><dd dir="auto">{_text(b)}</dd></div>' for a, b in rows)
            yield "</dl>"
        case Table():
            yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield f'<table>\n<caption class="hidden">{_text(table.caption)}</caption>\n<thead><tr>'
    for i, column in enumerate(table.columns):
        yield f'<th scope="col"{_numeric(table, i)}>{_text(column)}</th>'
    yield "</tr></thead>\n<tbody>"
    for first, *rest in table.rows:
        cells = "".join(_cell(table, i, cell) for i, cell in enumerate(rest, start=1))
        yield f'<tr><th scope="row" dir="auto">{_text(first)}</th>{cells}</tr>'
    yield "</tbody>\n</table>"


def _cell(table: Table, column: int, text: str) -> str:
    """A cell that knows its column's name, for screens too narrow for columns."""
    named = escape(table.columns[column])
    return f'<td dir="auto" data-column="{named}"{_numeric(table, column)}>{_text(text)}</td>'


def _numeric(table: Table, column: int) -> str:
    return ' class="numeric"' if column in table.numeric else ""
