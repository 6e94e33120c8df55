"""Lays the blocks of a notice out on A4 pages with fpdf2."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate, zip_longest
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, VAlign, XPos, YPos
from fpdf.fonts import FontFace

from explainer.reviews.notices.document import Block, Document, Heading, Items, Pairs, Paragraph, SmallPrint, Table

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it would log which letters a notice has

FONTS = Path(__file__).parent / "fonts"
FAMILY = "notice"
MARGIN = 22.0  # mm
LINE = 1.42  # of the letters' size
POINT = 25.4 / 72  # mm
BODY, SMALL, HEADING, TITLE = 10.0, 8.0, 12.0, 17.0  # pt
LABELS = 0.34  # of the width, for the names of pairs
HIGH, ROW = 600, 30  # letters of a cell that fit on a page in the narrowest column, and in one of its lines
ABSENT = "▯"
MOST_NAMED = 40  # letters that are named where the font lacks them
QUIET, INK = 90, 20  # grey levels


def printed(document: Document) -> bytes:
    """Return the PDF; it is laid out twice, as the first page names the number of the last."""
    pages = Sheet(document, 0).filled().page
    return bytes(Sheet(document, pages).filled().output())


class Sheet(FPDF):
    """One notice; `pages` is how many pages it has, 0 while that is not known."""

    def __init__(self, document: Document, pages: int) -> None:
        super().__init__(format="A4", unit="mm")
        self._document, self._pages = document, pages
        self._lacking: dict[str, None] = {}
        self.add_font(FAMILY, "", FONTS / "DejaVuSans.subset.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.subset.ttf")
        self._letters = frozenset(self.fonts[FAMILY].cmap)  # type: ignore[union-attr]
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN)
        self.str_alias_nb_pages = None  # type: ignore[assignment]  # what stands in the text is text
        self._described()

    def filled(self) -> Sheet:
        self.add_page()
        self._write(self._document.title, TITLE, bold=True, after=4)
        for block in self._document.blocks:
            self._block(block)
        if self._lacking:
            named = ", ".join(_named(letter) for letter in list(self._lacking)[:MOST_NAMED])
            more = ", …" if len(self._lacking) > MOST_NAMED else ""
            self._block(SmallPrint(self._document.missing_words.format(letters=named + more)))
        return self

    def footer(self) -> None:
        """The number of the page, at its foot."""
        self.set_y(-MARGIN + 8)
        self._pen(SMALL, grey=QUIET)
        text = self._document.page_words.format(page=self.page, pages=self._pages)
        self.cell(0, SMALL * POINT, text, align="R")

    def _described(self) -> None:
        document = self._document
        made = datetime.fromisoformat(document.date)
        self.set_creation_date(made if made.tzinfo is not None else made.replace(tzinfo=UTC))
        self.set_title(document.title)
        self.set_author(document.author)
        self.set_creator("explainer")
        self.set_lang(document.language)

    def _block(self, block: Block) -> None:
        match block:
            case Heading(text):
                self._heading(text)
            case Paragraph(text):
                self._write(text, BODY, after=1.6)
            case SmallPrint(text):
                self.ln(1.5)
                self._write(text, SMALL, grey=QUIET, after=1)
            case Items(entries, ordered):
                self._items(entries, ordered)
            case Pairs(rows):
                self._rows((), rows, (LABELS, 1 - LABELS), ())
            case Table(_, columns, rows, numeric):
                self._rows(columns, rows, _widths(len(columns), numeric), numeric)

    def _heading(self, text: str) -> None:
        if self.get_y() + 32 > self.h - MARGIN:
            self.add_page()
        self.ln(3.5)
        self.start_section(self._known(text))
        self._write(text, HEADING, bold=True, after=1.4)

    def _items(self, entries: Sequence[str], ordered: bool) -> None:
        indent = 7.0
        for number, entry in enumerate(entries, start=1):
            self._pen(BODY)
            self.set_x(MARGIN + 1)
            self.cell(indent - 1, BODY * POINT * LINE, f"{number}." if ordered else "•")
            self.set_left_margin(MARGIN + indent)
            self._write(entry, BODY, after=0.8)
            self.set_left_margin(MARGIN)
        self.ln(1.2)

    def _rows(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], numeric: Sequence[int]
    ) -> None:
        self._pen(BODY - 1 if columns else BODY)
        self.set_draw_color(205)
        head = FontFace(emphasis="BOLD", color=INK)
        aligned = tuple("RIGHT" if i in numeric else "LEFT" for i in range(len(widths)))
        with self.table(
            col_widths=tuple(widths),
            headings_style=head,
            first_row_as_headings=bool(columns),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            text_align=aligned,
            v_align=VAlign.T,
            line_height=(BODY - 1) * POINT * LINE,
            padding=(0.9, 1.2, 0.9, 0),
        ) as table:
            for line in [*([columns] if columns else []), *(part for row in rows for part in _parts(row))]:
                table.row([self._known(cell) for cell in line])
        self.ln(2)

    def _write(self, text: str, size: float, *, bold: bool = False, grey: int = INK, after: float = 0.0) -> None:
        self._pen(size, bold=bold, grey=grey)
        self.multi_cell(0, size * POINT * LINE, self._known(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(after)

    def _pen(self, size: float, *, bold: bool = False, grey: int = INK) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(grey)

    def _known(self, text: str) -> str:
        """The text with ▯ for each letter that the font lacks, which is noted."""
        lacking = {letter for letter in text if letter != "\n" and ord(letter) not in self._letters}
        self._lacking |= dict.fromkeys(sorted(lacking))
        return "".join(ABSENT if letter in lacking else letter for letter in text)


def _named(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return f"U+{ord(letter):04X}" + (f" {name}" if name else "")


def _parts(row: Sequence[str]) -> list[tuple[str, ...]]:
    """The row as several where a cell would be too high for a page; cells that end sooner are then empty."""
    return list(zip_longest(*(_pieces(cell) for cell in row), fillvalue=""))


def _pieces(text: str) -> list[str]:
    """The text in pieces of at most HIGH letters, a line's end counted as ROW of them, cut at blanks if possible."""
    pieces, rest = [], text
    while len(rest) + (ROW - 1) * rest.count("\n") > HIGH:
        weights = accumulate(ROW if letter == "\n" else 1 for letter in rest)
        end = sum(weight <= HIGH for weight in weights)
        blank = rest.rfind(" ", 1, end)
        cut = end if blank < 0 else blank
        pieces.append(rest[:cut].rstrip("\n"))
        rest = rest[cut:].lstrip(" ")
    return [*pieces, rest]


def _widths(columns: int, numeric: Sequence[int]) -> tuple[float, ...]:
    """Shares of the width: numbers need less than words."""
    weights = [0.7 if i in numeric else 1.0 for i in range(columns)]
    if columns == 3 and not numeric:
        weights = [1.0, 0.8, 1.5]
    return tuple(weight / sum(weights) for weight in weights)
