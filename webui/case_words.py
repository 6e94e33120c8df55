"""What the pages of decision review call things: flags, states, kinds of verdict, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from explainer.records import Explanation, Feature
from explainer.reviews.decision import Flag
from explainer.reviews.standing import Standing
from webui import words


@dataclass(frozen=True, slots=True)
class FlagWords:
    """A flag as people read it, and one sentence on what it means."""

    word: str
    name: str
    help: str


FLAGS = {
    flag: FlagWords(flag.word, name, text)
    for flag, name, text in (
        (
            Flag.PROTECTED,
            "protected factor",
            "A feature that the model's owner marked as protected, such as age, is among the leading reasons.",
        ),
        (
            Flag.FOREIGN,
            "unlike the background",
            "The model has hardly seen rows like this one, so trust its score and its reasons less.",
        ),
        (
            Flag.NEAR_THRESHOLD,
            "near the threshold",
            "The score is so close to the threshold that a small error in a value could turn the outcome.",
        ),
        (
            Flag.UNSTABLE,
            "hangs on small differences",
            "With all numbers a little different, as when they are measured again, the outcome was the other one.",
        ),
        (
            Flag.UNMAPPED,
            "reason without words",
            "A leading reason has no text of the model's owner, so no notice can be sent before a person looks.",
        ),
        (
            Flag.DISAGREE,
            "SHAP and LIME disagree",
            "Two ways of explaining name different leading features, so look at the row itself before trusting either.",
        ),
        (
            Flag.ORDER_UNCERTAIN,
            "order of reasons uncertain",
            "The error bars of neighbouring reasons overlap: which one weighs more cannot be told.",
        ),
        (
            Flag.SAMPLE,
            "random sample",
            "Drawn by chance, whatever the model said, to check the quality of decisions that nothing speaks against.",
        ),
    )
}
STATES = {
    "open": "waits for a verdict",
    "information": "waits for more information",
    "referred": "referred",
    "second-look": "override waits for a second person",
    "upheld": "upheld",
    "overridden": "overridden",
    "erased": "erased",
}
DONE = {
    "uphold": "upheld the decision",
    "override": "proposed to override it",
    "refer": "referred the case",
    "information": "asked for more information",
    "confirm": "confirmed the override",
    "reject": "rejected the override",
    "withdraw": "withdrew the verdict",
    "blind": "judged it before seeing the answer",
}


def flags(found: Flag) -> list[FlagWords]:
    """Those that a decision carries, the weightiest first."""
    return [told for flag, told in FLAGS.items() if flag in found]


def due(due_at: str, now: str) -> str:
    """When a decision is due, by days of the calendar in UTC: 'due in 3 days', 'overdue by 2 days'."""
    left = (datetime.fromisoformat(due_at).date() - datetime.fromisoformat(now).date()).days
    if is_overdue(due_at, now):
        return f"overdue by {_days(-left)}" if left else "overdue since today"
    return {0: "due today", 1: "due tomorrow"}.get(left) or f"due in {_days(left)}"


def is_overdue(due_at: str, now: str) -> bool:
    return datetime.fromisoformat(due_at) < datetime.fromisoformat(now)


def when(at: str) -> str:
    """A time in UTC, to the minute: '24 Nov 2026, 17:40 UTC'."""
    return f"{datetime.fromisoformat(at):%-d %b %Y, %H:%M} UTC"


def day(at: str) -> str:
    return f"{datetime.fromisoformat(at):%-d %b %Y}"


def lasted(seconds: int | None) -> str:
    """How long somebody had the case open; empty where that is not known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def place(standing: Standing) -> str:
    """Where a value lies among the background's, in words."""
    if standing.value is None:
        return f"missing here; also missing in {standing.missing.words} rows"
    if standing.same is not None:
        return f"the same in {standing.same.words} rows"
    if standing.quantile is None:
        return "too few rows know this value to tell its place"
    share = round(100 * standing.quantile)
    if share <= 2:
        return "lower than almost all"
    if share >= 98:
        return "higher than almost all"
    return f"higher than about {share} % of them"


def agreed(agreement: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether SHAP and LIME tell the same story, and what that means in a sentence."""
    top = int(agreement["top"])
    shared, signs = round(agreement["leading"] * top), agreement["signs"]
    same = "" if signs is None else f", {'all' if signs == 1 else f'{100 * signs:.0f} %'} of them in the same direction"
    told = f"{shared} of the {top} leading features are the same in both{same}."
    if 2 * shared >= top and (signs or 0.0) >= 0.75:
        return True, f"{told} Two different methods point to the same reasons, which speaks for them."
    return False, (
        f"{told} They answer different questions: SHAP shares out the score against the average, LIME asks what the "
        "model does close to this row. Where they part, the model is not straight around this row, or the features "
        "hang together: look at the values themselves before you rely on a single reason."
    )


def reason_unit(reasons: Mapping[str, Any]) -> words.Unit:
    """Percentage points for reasons in probability; else the output's own unit."""
    return words.Unit(100.0, 1, ", points") if reasons.get("output") == "probability" else words.Unit(1.0, 3, "")


def swayed(before: Explanation | None, after: Explanation, features: Sequence[Feature]) -> list[tuple[str, str, str]]:
    """Pushes that moved, the largest move first: feature, before, after; `before` is empty where it is not known."""
    unit = words.unit_of(after)
    old = before.attributions if before is not None and before.output == after.output else None
    moves = [abs(a - (0.0 if old is None else old[i])) for i, a in enumerate(after.attributions)]
    order = sorted(range(len(moves)), key=lambda i: -moves[i])[:6]
    told = [
        (features[i].name, "" if old is None else unit.push(old[i]), unit.push(after.attributions[i])) for i in order
    ]
    return [(name, was, now) for name, was, now in told if was != now]


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"
