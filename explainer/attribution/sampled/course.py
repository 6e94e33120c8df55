"""How long one row is sampled: to a tolerance, a budget or a deadline, and what the reader is told about its end."""

from __future__ import annotations

import time
from math import ceil

from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import DRAWS, enough, two_sided
from explainer.records import FloatArray, Notice

LEAST = 3  # rounds of a block: with two the regression has too little to go by (docs/decisions/sampling.md)
FIRST = 4  # rounds of the first block where a tolerance is given
USUAL = 2  # times the rounds that `uncertainty.enough` gives are taken where neither tolerance nor budget is given
CEILING = 1 << 20  # model rows of one explained row where a tolerance is given without a budget
PAIRS = 1000  # of one background row in one block, as far as that leaves WIDEST rounds: bounds memory
WIDEST = 16
MARGIN = 0.8  # of the time left is planned with after a block had to be given up


class Course:
    """Rounds of the next block, asked for again and again until they are 0.

    Their numbers depend on the settings and on what was found, never on the clock, until the clock ends the course:
    so a deadline that is not reached changes no bit of the answer.
    """

    def __init__(self, ask: Ask, price: int, strata: int, players: int) -> None:
        """`price` is the model rows of a round, `strata` the background rows, `players` the most that differ."""
        budget = ask.max_evaluations or (CEILING if ask.tolerance is not None else 1 + USUAL * enough(strata) * price)
        self._ask = ask
        self._affordable = max((budget - 1) // price, LEAST) if price else LEAST
        self._widest = max(PAIRS // max(players, 1), WIDEST)
        self._first = max(FIRST, ceil(2 * DRAWS / price)) if price else LEAST
        self._whole = ceil((2.0 ** (players - 1) - 1) / (players - 1)) if 1 < players < 50 else CEILING
        self._z = two_sided(ask.confidence)
        self._done = self._size = self._short = 0
        self._began = 0.0
        self._late = self._spent = False

    def rounds(self, done: int, errors: FloatArray) -> int:
        """Rounds of the next block after `done` of them, with standard `errors` (features, outputs); 0 is the end."""
        self._done = done
        if done and not errors.any():
            return 0
        if self._late:
            short, self._short = self._short, 0
            return short
        self._size = self._planned(errors)
        self._began = time.monotonic()
        if self._size and self._ask.deadline is not None and self._began >= self._ask.deadline:
            self._late = True
            return 0 if done else LEAST
        return self._size

    def in_time(self, share: float) -> bool:
        """Whether the block, of which `share` is done, will end in time; if not it is to be given up for a shorter."""
        if self._ask.deadline is None or self._late or share >= 1:
            return True
        present = time.monotonic()
        whole = (present - self._began) / share
        if self._began + whole <= self._ask.deadline:
            return True
        self._late = True
        fits = int(MARGIN * self._size * max(self._ask.deadline - present, 0.0) / whole)
        self._short = min(fits, self._widest) if fits >= LEAST else (0 if self._done else LEAST)
        return False

    def notices(self, errors: FloatArray) -> tuple[Notice, ...]:
        met = self._ask.tolerance is None or self._close_enough(errors)
        found = []
        if self._late or (self._spent and not met):
            code = "deadline-reached" if self._late else "budget-reached"
            found.append(Notice(code, f"Sampling ended after {self._done} rounds over the background."))
        if not met:
            reached = f"Reached ±{self._half_width(errors):.3g}; ±{self._ask.tolerance:.3g} was asked for."
            found.append(Notice("tolerance-not-met", reached))
        return tuple(found)

    def _planned(self, errors: FloatArray) -> int:
        left = self._affordable - self._done
        if self._ask.tolerance is None:
            return self._even(left)
        if self._done and self._close_enough(errors):
            return 0
        self._spent = left < LEAST
        due = self._due(errors) if self._done else self._first
        return self._even(due if left - due >= LEAST else left)

    def _even(self, rounds: int) -> int:
        """The next of as few and as even blocks as will do for `rounds`."""
        return ceil(rounds / ceil(rounds / self._widest)) if rounds >= LEAST else 0

    def _due(self, errors: FloatArray) -> int:
        """Further rounds that the tolerance is likely to take: the error falls with the root of their number.

        As many as all pairs there are give exact values.
        """
        assert self._ask.tolerance is not None
        due = ceil(self._done * ((self._half_width(errors) / self._ask.tolerance) ** 2 - 1))
        return max(min(due, self._whole), LEAST)

    def _close_enough(self, errors: FloatArray) -> bool:
        return self._ask.tolerance is not None and self._half_width(errors) <= self._ask.tolerance

    def _half_width(self, errors: FloatArray) -> float:
        return float(self._z * errors.max(initial=0.0))
