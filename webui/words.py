"""Numbers and values as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explainer.records import Explanation

MINUS = "−"


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits, without an exponent where that can be helped."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text and 1 <= abs(value) < 1e15:
        text = f"{value:,.0f}"
    elif abs(value) < 1e-4:
        text = f"{value:.1e}"
    return text.replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    text = number(abs(value), digits)
    return text if text == "0" else f"{MINUS if value < 0 else '+'}{text}"


def output(value: float, space: str) -> str:
    """A model output: a probability as per cent, anything else as a number."""
    return f"{100 * value:.1f} %" if space == "probability" else number(value, 4)


def value(raw: Any) -> str:
    """A feature's value in a row."""
    if raw is None:
        return "missing"
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, int):
        return f"{raw:,}".replace("-", MINUS)
    return number(raw, 5) if isinstance(raw, float) else str(raw)


def bound(limit: float | None) -> str:
    """One end of a feature's range."""
    return "…" if limit is None else f"{limit:,.10g}".replace("-", MINUS)


def label(name: str) -> str:
    """A feature's name as a label: `duration_months` becomes `duration months`."""
    return name.replace("_", " ")


def rule(text: str) -> str:
    """A LIME rule with typographic comparison signs and feature names as labels."""
    return re.sub(r"[a-z]_(?=[a-z])", lambda m: m[0][0] + " ", text.replace("<=", "≤").replace(">=", "≥"))


@dataclass(frozen=True, slots=True)
class Unit:
    """How pushes are written: times `factor`, to so many `decimals`; `suffix` goes into the column's head."""

    factor: float
    decimals: int
    suffix: str

    def push(self, amount: float) -> str:
        text = f"{abs(amount) * self.factor:,.{self.decimals}f}"
        return text if float(text.replace(",", "")) == 0 else f"{MINUS if amount < 0 else '+'}{text}"

    def error(self, half_width: float) -> str:
        """To the decimals of the pushes, or to one significant digit where that would read as zero."""
        scaled = half_width * self.factor
        return f"{scaled:,.{self.decimals}f}" if scaled >= 10.0**-self.decimals else number(scaled, 1)

    def tick(self, tick: Any) -> str:
        return f"{tick.value * self.factor:,.{max(0, tick.decimals - (2 if self.factor == 100 else 0))}f}".replace(
            "-", MINUS
        ) + (" %" if self.factor == 100 else "")


def unit_of(e: Explanation) -> Unit:
    """Percentage points for probabilities; else the output's own unit, to three digits of the largest push."""
    largest = max((abs(a) for a in e.attributions), default=0.0)
    if e.output == "probability":
        return Unit(100.0, 1 if largest >= 0.1 else 2, ", points")
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0 else 2
    return Unit(1.0, min(8, max(0, decimals)), "")


def row_title(number: int, row: Mapping[str, Any]) -> str:
    """A row in a list of rows: its number and its first values."""
    told = ", ".join(value(v) for v in list(row.values())[:2])
    return f"row {number}: {told}"[:70]
