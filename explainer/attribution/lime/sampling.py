"""Draws neighbours of one row until LIME's leading features are stable, or the budget or the time is spent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explainer.attribution.game import Timed, in_blocks
from explainer.attribution.lime.neighbourhood import draw
from explainer.attribution.lime.options import LimeOptions
from explainer.attribution.lime.partition import Partition
from explainer.attribution.lime.surrogate import Sample, Surrogate, fit, kernel
from explainer.attribution.ports import Ask
from explainer.attribution.uncertainty import two_sided
from explainer.errors import InvalidOption
from explainer.records import FloatArray

STABLE = 0.8  # the share of leading features that halves of the sample must have in common: four of five
FEWEST = 50  # model rows below which no surrogate is fitted
HELD = 200_000  # rows beyond which a sample is not held in memory, whatever `max_evaluations` allows
CHUNK = 500  # rows of one model call where a deadline is set, so that it can be kept, and
SHARE = 0.2  # of the time left is the most that one call is to take

End = Literal["settled", "budget", "deadline", "library"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fitted surrogate, the model's output at the row (k,), how many rows the model saw, and why no more."""

    surrogate: Surrogate
    prediction: FloatArray
    samples: int
    evaluations: int
    end: End


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where the neighbours of one row come from: its partition, the random stream of its seed, the settings."""

    game: Timed
    space: Partition
    row: FloatArray
    options: LimeOptions
    random: np.random.RandomState
    deadline: float | None

    def sample(self, size: int, *, first: bool) -> Sample:
        """`size` further neighbours, with the model's outputs; fewer where the deadline came. Costs that many rows."""
        drawn = draw(self.space, self.row, size, self.random, first=first, around_row=self.options.around_row)
        outputs = self._outputs(drawn.rows, FEWEST if first else 1)
        kept, width = len(outputs), self.options.width(len(self.row))
        return Sample(drawn.design[:kept], outputs, kernel(drawn.squared[:kept], width))

    def _outputs(self, rows: FloatArray, least: int) -> FloatArray:
        if self.deadline is None:
            return in_blocks(self.game, rows)
        parts: list[FloatArray] = []
        done = 0
        while done < len(rows) and (size := self._call(self.deadline - time.monotonic(), least - done)) > 0:
            parts.append(self.game(rows[done : done + size]))
            done += size
        return np.concatenate(parts)

    def _call(self, left: float, due: int) -> int:
        """Rows of the next call: CHUNK, or fewer that take a SHARE of the time left; late, only those still due."""
        each = self.game.seconds(CHUNK) / CHUNK
        if left <= each:
            return max(due, 0)
        return CHUNK if each == 0 else min(CHUNK, max(int(SHARE * left / each), 1))


def stream(seed: int) -> np.random.RandomState:
    """The random stream of a seed: `RandomState(seed)`, or, where it is longer, of its 32-bit words, low first."""
    words = [seed >> shift & 0xFFFFFFFF for shift in range(0, max(seed.bit_length(), 1), 32)]
    return np.random.RandomState(words[0] if len(words) == 1 else words)


def sampled(neighbours: Neighbours, ask: Ask) -> Outcome:
    """Fit to `options.samples` neighbours, then double the sample until the answer has settled.

    The first round is the library's own for the same stream: the row itself and then its neighbours, in its order.
    Raises InvalidOption when `ask.max_evaluations` is below 50.
    """
    options = neighbours.options
    z = two_sided(1.0 - (1.0 - ask.confidence) / len(neighbours.row))  # Bonferroni: for all features together
    limit = _limit(options, ask)
    size = min(options.samples, limit)
    sample = neighbours.sample(size, first=True)
    while True:
        surrogate, held = fit(sample, options.alpha, z), len(sample.weights)
        end = _end(held < size, held >= limit, settled(surrogate, ask), ask)
        if end is not None:
            return Outcome(surrogate, sample.outputs[0], held, held, end)
        size = min(2 * held, limit)
        sample = sample.joined(neighbours.sample(size - held, first=False))


def settled(surrogate: Surrogate, ask: Ask) -> bool:
    """Whether the leading features are stable, and the tolerance, where there is one, is met for every weight."""
    return bool((surrogate.stability >= STABLE).all()) and within(surrogate, ask)


def within(surrogate: Surrogate, ask: Ask) -> bool:
    """Whether the half-width of every weight's confidence interval is at most the tolerance, where there is one."""
    widest = two_sided(ask.confidence) * float(surrogate.standard_errors.max())
    return ask.tolerance is None or widest <= ask.tolerance


def _limit(options: LimeOptions, ask: Ask) -> int:
    if ask.max_evaluations is None:
        return max(options.samples, options.most_samples)
    if ask.max_evaluations < FEWEST:
        raise InvalidOption(
            f"max_evaluations is {ask.max_evaluations}; LIME needs at least {FEWEST} model rows for each row."
        )
    return min(ask.max_evaluations, HELD)


def _end(cut_short: bool, spent: bool, done: bool, ask: Ask) -> End | None:
    if cut_short:
        return "deadline"
    if done:
        return "settled"
    if spent:
        return "budget"
    return "deadline" if ask.deadline is not None and time.monotonic() >= ask.deadline else None
