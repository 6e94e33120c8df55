"""How long one row is sampled: to a goal, a budget or a deadline, and what the reader is told about its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil, floor

from explainer.attribution.goal import Goal
from explainer.attribution.ports import Ask
from explainer.attribution.sampled.pooled import Pooled
from explainer.attribution.uncertainty import DRAWS, enough
from explainer.records import Notice, Stopped

LEAST = 2.25  # rounds of a block: with two the regression has too little to go by (docs/decisions/sampling.md)
FIRST = 4  # rounds of the first block where a goal is given
USUAL = 2  # times the rounds that `uncertainty.enough` gives are taken where neither goal nor budget is given
CEILING = 1 << 20  # model rows of one explained row where a tolerance is given without a budget
RANKS = 1 << 18  # the same where only an order is asked for: features that are equal would never part
PAIRS = 1000  # of one background row in one block, as far as that leaves WIDEST rounds: bounds memory
WIDEST = 16
GROWTH = 3  # times what was done is the most that is done before the next look at an order: early looks are noisy
MARGIN = 0.8  # of the time left is planned with where the deadline shortens a block
SHARE = 0.05  # of the time that was given is the most that one model call may take, once the time is short


class Course:
    """Rounds of the next block, asked for again and again until they are 0.

    Their numbers depend on the settings and on what was found, never on the clock, until the clock ends the course:
    so a deadline that is not reached changes no bit of the answer.
    """

    def __init__(self, ask: Ask, price: int, strata: int, players: int, seconds: Callable[[int], float]) -> None:
        """`price` is the model rows of a round, `strata` the background rows, `players` the most that differ.

        `seconds` says how long so many model rows are likely to take.
        """
        self.goal = Goal(ask)
        self._ask = ask
        self._price = price
        self._seconds = seconds
        self._affordable = max((self._budget(strata) - 1) / price, LEAST) if price else LEAST
        self._widest = max(PAIRS // max(players, 1), WIDEST)
        self._first = max(FIRST, ceil(2 * DRAWS / price)) if price else LEAST
        self._whole = ceil((2.0 ** (players - 1) - 1) / (players - 1)) if 1 < players < 50 else CEILING
        self._done = self._size = self._short = 0.0
        self._began = self._start = time.monotonic()
        self._late = self._converged = False

    def rounds(self, pooled: Pooled) -> float:
        """Rounds of the next block after those in `pooled`; 0 is the end."""
        if pooled.rounds > self._done:
            self._done = pooled.rounds
            if self.goal.asked:
                self.goal.look(pooled.values(), pooled.standard_error)
            self._converged = not pooled.uncertain()
        if self._converged:
            return 0
        if self._late:
            short, self._short = self._short, 0.0
            return short
        self._size = self._planned()
        self._began = time.monotonic()
        return self._size if self._fits() else self._shortened(self._seconds(int(self._size * self._price)))

    def in_time(self, share: float) -> bool:
        """Whether the block, of which `share` is done, will end in time; if not it is to be given up for a shorter.

        Raises Cancelled where nobody waits for it any more.
        """
        self._ask.look()
        if self._ask.deadline is None or self._late or share >= 1:
            return True
        took = (time.monotonic() - self._began) / share
        if self._began + took <= self._ask.deadline:
            return True
        self._short = self._shortened(took)
        return False

    def portion(self, usual: int) -> int:
        """Model rows to lay out and ask for at a time: `usual`, or fewer once the time is short."""
        if not self._late or self._ask.deadline is None:
            return usual
        each = self._seconds(usual) / usual
        return min(usual, max(int(SHARE * (self._ask.deadline - self._start) / each), 1)) if each > 0 else usual

    def stopped(self) -> Stopped:
        """Which rule ended the course."""
        if self._converged:
            return "converged"
        return self.goal.reached or ("deadline" if self._late else "evaluations")

    def notices(self) -> tuple[Notice, ...]:
        if self._converged:
            return ()
        unmet = self.goal.notices()
        if self._late or unmet:
            code = "deadline-reached" if self._late else "budget-reached"
            return (Notice(code, f"Sampling ended after {self._done:g} rounds over the background."), *unmet)
        return ()

    def _budget(self, strata: int) -> int:
        if self._ask.max_evaluations is not None:
            return self._ask.max_evaluations
        if self._ask.tolerance is not None:
            return CEILING
        return RANKS if self._ask.separate is not None else 1 + USUAL * enough(strata) * self._price

    def _planned(self) -> float:
        left = self._affordable - self._done
        if not self.goal.asked:
            return self._even(left)
        if self.goal.reached:
            return 0
        due = self._due() if self._done else self._first
        return self._even(due if left - due >= LEAST else left)

    def _even(self, rounds: float) -> float:
        """The next of as few and as even blocks as will do for `rounds`."""
        if rounds < LEAST:
            return 0
        blocks = ceil(rounds / self._widest)
        return quantised(rounds) if blocks == 1 else ceil(rounds / blocks)

    def _due(self) -> float:
        """Further rounds that the goal is likely to take: the error falls with the root of their number.

        As many as all pairs there are give exact values.
        """
        due = self._done * (self.goal.strain**2 - 1)
        if self._ask.separate is not None:
            due = min(due, GROWTH * self._done)
        return max(min(ceil(due), self._whole), ceil(LEAST))

    def _fits(self) -> bool:
        if not self._size or self._ask.deadline is None:
            return True
        return self._began + self._seconds(int(self._size * self._price)) <= self._ask.deadline

    def _shortened(self, whole: float) -> float:
        """Rounds that the deadline allows when the planned block would take `whole` seconds; the last ones."""
        assert self._ask.deadline is not None
        self._late = True
        left = max(self._ask.deadline - time.monotonic(), 0.0)
        fits = quantised(min(MARGIN * self._size * left / whole, self._size)) if whole > 0 else self._size
        if fits >= LEAST:
            return fits
        return 0 if self._done else LEAST


def quantised(rounds: float) -> float:
    """The next lower number of rounds that designs are made for: few, so that they are often found ready."""
    step = 0.25 if rounds < FIRST else 0.5 if rounds < 2 * FIRST else 1.0
    return floor(rounds / step) * step
