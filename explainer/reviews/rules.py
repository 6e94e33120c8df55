"""What a verdict does to a case: which may follow which, who may give it, and what has to be said with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explainer.errors import Conflict, InvalidOption, NotPermitted, Problem
from explainer.reviews.decision import WAITING, Case, Kind, Status, Verdict

REASONS = (
    "The reasons fit the case",
    "A value of the row is wrong or out of date",
    "The model does not know something that matters here",
    "A protected factor played a part",
    "The case is unlike those that the model knows",
    "The reasons are not certain enough",
    "Law or policy says otherwise",
    "Another reason, see the text",
)
KINDS: dict[Kind, str] = {
    "uphold": "Uphold the decision",
    "override": "Override it (a second person confirms)",
    "refer": "Refer it to somebody else",
    "information": "Ask for more information",
    "confirm": "Confirm the override",
    "reject": "Reject the override",
    "withdraw": "Withdraw the verdict",
    "blind": "Judge before seeing the answer",
}
FOLLOWS: dict[Status, dict[Kind, Status]] = {
    "open": {"uphold": "upheld", "override": "second-look", "refer": "referred", "information": "information"},
    "information": {"uphold": "upheld", "override": "second-look", "refer": "referred", "information": "information"},
    "referred": {"uphold": "upheld", "override": "second-look", "refer": "referred", "information": "information"},
    "second-look": {"confirm": "overridden", "reject": "open", "withdraw": "open"},
    "upheld": {"withdraw": "open"},
    "overridden": {"withdraw": "open"},
    "erased": {},
}
SECOND: tuple[Kind, ...] = ("confirm", "reject")  # by another person than who proposed the override
SHORTEST, LONGEST, LONGEST_REASON = 10, 4000, 200
WORDLESS: tuple[Kind, ...] = ("uphold", "confirm", "blind")  # a reason from the list is enough


@dataclass(frozen=True, slots=True)
class Wish:
    """A verdict as somebody wants to give it. `entries`: of the state that they saw; None: of any."""

    kind: Kind
    reason: str
    text: str = ""
    entries: int | None = None
    assignee: str = ""  # for `refer`: to whom
    outcome: str = ""  # for `blind`: what was judged


def possible(case: Case, entered: Sequence[Verdict], principal: str, *, may_confirm: bool) -> list[Kind]:
    """What this person may do with the case now, in the order of KINDS."""
    kinds = FOLLOWS[case.state.status]
    return [k for k in KINDS if k in kinds and _barred(k, entered, principal, may_confirm) is None]


def check(case: Case, entered: Sequence[Verdict], wish: Wish, principal: str, *, may_confirm: bool) -> Status:
    """Return the case's next status. Raises Conflict, NotPermitted, InvalidOption with every problem of the form."""
    following = FOLLOWS[case.state.status]
    if wish.kind == "blind" and case.state.status in WAITING:
        following = {"blind": case.state.status}
    if wish.entries is not None and wish.entries != case.state.entries:
        last = entered[-1].name or entered[-1].principal
        raise Conflict(f"{last} entered something since you opened this case: look at it again, then decide.")
    if wish.kind not in following:
        listed = ", ".join(following) or "nothing"
        raise Conflict(f"kind: this case is {case.state.status}, so {wish.kind} is not possible now; {listed} is.")
    if (barred := _barred(wish.kind, entered, principal, may_confirm)) is not None:
        raise NotPermitted(barred)
    return following[wish.kind]


def check_words(wish: Wish, reasons: Sequence[str]) -> None:
    """Raises InvalidOption for a reason that is not on the list, and for a text that is missing or too long."""
    problems = []
    if wish.reason not in reasons:
        listed = "; ".join(reasons)
        problems.append(Problem("reason", "one-of", f"Choose one of the reasons of this model: {listed}."))
    text = wish.text.strip()
    if wish.kind not in WORDLESS and len(text) < SHORTEST:
        problems.append(Problem("text", "too-short", f"Say why in at least {SHORTEST} characters."))
    if len(text) > LONGEST:
        problems.append(Problem("text", "too-long", f"It has {len(text)} characters; at most {LONGEST} are kept."))
    if problems:
        raise InvalidOption(" ".join(f"{p.where}: {p.detail}" for p in problems), problems=problems)


def proposer(entered: Sequence[Verdict]) -> str | None:
    """Who proposed the override that waits, or the last verdict that stands."""
    return next((v.principal for v in reversed(entered) if v.kind in ("override", "uphold")), None)


def _barred(kind: Kind, entered: Sequence[Verdict], principal: str, may_confirm: bool) -> str | None:
    """Why this person may not do this; None where they may."""
    if kind in SECOND and not may_confirm:
        return "A second look at an override needs the permission reviews:verdict:confirm, which this role lacks."
    if kind in SECOND and proposer(entered) == principal:
        return "Four eyes: somebody other than who proposed the override confirms or rejects it."
    if kind == "withdraw" and not may_confirm and proposer(entered) != principal:
        return "A verdict is withdrawn by who gave it, or by a reviewer who may confirm."
    return None
