"""What is kept of a decision: facts by which a queue is sorted, particulars that are sealed, and what people did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any, Literal

Status = Literal["open", "information", "referred", "second-look", "upheld", "overridden", "erased"]
Kind = Literal["uphold", "override", "refer", "information", "confirm", "reject", "withdraw", "blind"]

WAITING: tuple[Status, ...] = ("open", "information", "referred", "second-look")
DECIDED: tuple[Status, ...] = ("upheld", "overridden")


class Flag(IntFlag):
    """Why a person should look; a decision may have several. `word` is what the outside calls it."""

    PROTECTED = 1
    UNMAPPED = 2
    FOREIGN = 4
    UNSTABLE = 8
    NEAR_THRESHOLD = 16
    DISAGREE = 32
    ORDER_UNCERTAIN = 64
    SAMPLE = 128

    @property
    def word(self) -> str:
        return str(self.name).lower().replace("_", "-")


WEIGHTS = {
    Flag.PROTECTED: 32,
    Flag.UNMAPPED: 16,
    Flag.FOREIGN: 16,
    Flag.UNSTABLE: 8,
    Flag.NEAR_THRESHOLD: 8,
    Flag.DISAGREE: 4,
    Flag.ORDER_UNCERTAIN: 2,
    Flag.SAMPLE: 1,
}


def priority_of(flags: Flag) -> int:
    """The sum of the weights: the larger, the sooner a person should look."""
    return sum(WEIGHTS[flag] for flag in flags)


def flag_of(word: str) -> Flag | None:
    """The flag of that word; None for none."""
    return next((flag for flag in Flag if flag.word == word), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in the clear: no value of a row, no name. `score` is what was compared with `threshold`.

    `outcome` is the word for what was decided, `model_outcome` what the model alone leads to.
    """

    id: str
    created_at: str
    principal: str
    model: str
    version: str
    digest: str
    score: float
    threshold: float
    outcome: str
    model_outcome: str
    adverse: bool
    receipt: str
    lime_receipt: str
    reasons_receipt: str
    flags: Flag
    leading: str  # the factor that pushed most toward the adverse outcome; empty where none did
    due_at: str
    blind: bool = False  # a reviewer judges it before the model's answer is shown

    @property
    def priority(self) -> int:
        return priority_of(self.flags)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is sealed: whose it is and everything that tells of the row."""

    external_id: str = ""
    subject: str = ""
    row: tuple[float | None, ...] = ()  # coded; None where a value is missing
    reasons: dict[str, Any] = field(default_factory=dict)  # principal reasons as they were at the time
    warnings: tuple[dict[str, str], ...] = ()
    agreement: dict[str, Any] = field(default_factory=dict)
    stability: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """What people made of it so far; `entries` counts what they entered, so that nobody acts on an older state."""

    status: Status = "open"
    assignee: str = ""
    entries: int = 0
    decided_at: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A decision as it stands. `particulars` is None once it was erased."""

    facts: Facts
    state: State
    particulars: Particulars | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One entry of a person; never changed, only followed by another. `seconds`: since they opened the case."""

    number: int
    decision: str
    at: str
    principal: str
    name: str
    kind: Kind
    reason: str
    text: str
    seconds: int | None
    status: Status  # of the case from then on
    outcome: str  # what is decided from then on, or what was judged blind
