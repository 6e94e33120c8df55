"""Which decisions a queue shows, and in which order, as the words of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from explainer.errors import InvalidOption
from explainer.reviews.decision import DECIDED, WAITING, Flag, Status, flag_of

Show = Literal["waiting", "decided", "all"]
Sort = Literal["priority", "due", "margin", "newest", "oldest"]
MOST = 200  # decisions of one page

ORDERS: dict[str, str] = {
    "priority": "priority DESC, due_at, id",
    "due": "due_at, id",
    "margin": "margin, id",
    "newest": "id DESC",
    "oldest": "id",
}
JUDGED = "(blind = 0 OR EXISTS (SELECT 1 FROM looks WHERE decision = decisions.id AND looks.principal = ? AND answer))"
SHOWS: tuple[str, ...] = (*get_args(Show), *WAITING, *DECIDED, "erased")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`models`: those that the reader was granted (`*` for all); `principal`: only those that it brought.

    `external`: the mark of an external id. `assignee`: whose; `-` for nobody's. `overdue_at`: due before that time.
    `judge`: who has to judge blind cases first; what the model said does not narrow or order those for them.
    `since`, `until`: created from one time on and before another, in UTC with milliseconds. `after`: larger ids only.
    """

    show: str = "waiting"
    model: str | None = None
    models: tuple[str, ...] = ("*",)
    principal: str | None = None
    flag: str | None = None
    adverse: bool | None = None
    assignee: str | None = None
    external: bytes | None = None
    overdue_at: str | None = None
    version: str | None = None
    since: str | None = None
    until: str | None = None
    after: str | None = None
    judge: str | None = None
    sort: str = "priority"
    limit: int = 50
    offset: int = 0

    def check(self) -> None:
        """Raises InvalidOption."""
        if self.show not in SHOWS:
            raise InvalidOption(f"show: {self.show[:40]!r} is not one of {', '.join(SHOWS)}.")
        if self.sort not in ORDERS:
            raise InvalidOption(f"sort: {self.sort[:40]!r} is not one of {', '.join(ORDERS)}.")
        if self.flag is not None and flag_of(self.flag) is None:
            raise InvalidOption(f"flag: {self.flag[:40]!r} is not one of {', '.join(f.word for f in Flag)}.")
        if not 1 <= self.limit <= MOST or not 0 <= self.offset <= 1_000_000_000:
            raise InvalidOption(f"limit: 1 to {MOST} decisions are listed at once, from an offset of 0 on.")

    def where(self) -> tuple[str, list[Any]]:
        """The condition, and what its question marks stand for.

        A `+` keeps an index of its own away from a column, for the index of the order has what narrows beside it. An
        external id is the exception: with its model it names one decision.
        """
        own = "+" if self.external is None else ""
        parts: list[tuple[str, list[Any]]] = [_shown(self.show)]
        for condition, value in (
            (f"{own}model = ?", self.model),
            ("principal = ?", self.principal),
            ("external = ?", self.external),
            ("+due_at < ?" if self.sort != "due" else "due_at < ?", self.overdue_at),
            ("version = ?", self.version),
            ("created_at >= ?", self.since),
            ("created_at < ?", self.until),
            ("id > ?", self.after),
        ):
            if value is not None:
                parts.append((condition, [value]))
        if "*" not in self.models:
            parts.append((f"+model IN ({', '.join('?' * len(self.models))})", list(self.models)))
        if self.flag is not None and (flag := flag_of(self.flag)) is not None:
            parts.append(("flags & ? <> 0", [int(flag)]))
        if self.adverse is not None:
            parts.append(("adverse = ?", [int(self.adverse)]))
        if self.assignee is not None:
            parts.append(("assignee = ?", ["" if self.assignee == "-" else self.assignee]))
        if self.judge is not None and self._tells:
            parts.append((JUDGED, [self.judge]))
        return " AND ".join(text for text, _ in parts), [value for _, values in parts for value in values]

    @property
    def _tells(self) -> bool:
        """Whether being listed would tell what the model said."""
        return self.adverse is not None or self.flag not in (None, Flag.SAMPLE.word) or self.sort == "margin"

    @property
    def order(self) -> str:
        return ORDERS[self.sort]


def _shown(show: str) -> tuple[str, list[Any]]:
    if show == "all":
        return "waiting IN (0, 1)", []
    if show in ("waiting", "decided"):
        return "waiting = ?", [int(show == "waiting")]
    status: Status = show  # type: ignore[assignment]
    return "waiting = ? AND status = ?", [int(status in WAITING), status]
