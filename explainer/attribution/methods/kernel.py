"""KernelSHAP by the shap library on our own game: weighted regression over coalitions, repeated for its error."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explainer.attribution.game import BLOCK, Game, Timed, in_space
from explainer.attribution.maskers import baseline_values, differs, hybrids
from explainer.attribution.model import IntArray
from explainer.attribution.ports import Ask, Attributions, Background, Subject, Suitability
from explainer.attribution.sampled.answer import Sampled, together
from explainer.attribution.uncertainty import honest, two_sided
from explainer.records import FloatArray, Notice, Stopped

RUNS = 5  # independent runs, whose spread is the standard error
COALITIONS = 256  # coalitions of one run, beside two for each feature
LEAST = 6  # coalitions for each feature in every run: with two the regression was seen to be singular


@dataclass(frozen=True, slots=True)
class PreparedKernel:
    """`ends` (z, outputs) are the values of the background rows, `expected` (outputs,) their weighted mean."""

    game: Timed
    against: Background
    ends: FloatArray
    expected: FloatArray

    def explain(self, rows: FloatArray, seeds: Sequence[int], ask: Ask) -> Attributions:
        """Mean of RUNS runs of `shap.KernelExplainer` (Lundberg and Lee 2017), its error from their spread.

        Where a run can hold every coalition, one run gives the exact values. No further run begins that is likely to
        end after the deadline; errors are NaN where only one sampled run was possible. A tolerance is reported on,
        never worked towards.
        """
        return together([self._one(row, seed, ask) for row, seed in zip(rows, seeds, strict=True)], self.expected)

    def _one(self, row: FloatArray, seed: int, ask: Ask) -> Sampled:
        players = np.flatnonzero(differs(row, self.against.rows).any(axis=0))
        samples, wanted = self._in_time(len(players), ask)
        prediction = self.game(row[None])[0]
        reach = np.abs(np.vstack([self.ends, prediction]) - self.expected).max(axis=0)
        scale = np.where(reach > 0, reach, 1.0)
        full = (prediction - self.expected) / scale
        values, errors = (np.zeros((row.size, prediction.size)) for _ in range(2))
        runs: list[FloatArray] = []
        due = self.game.seconds(samples * len(self.against.rows))
        for stream in np.random.SeedSequence(seed).generate_state(wanted):
            if runs and ask.deadline is not None and time.monotonic() + due > ask.deadline:
                break
            runs.append(_run(self._centred(row, players, scale, full), len(players), samples, int(stream)) * scale)
        if len(players):
            values[players] = np.mean(runs, axis=0)
            errors[players] = _spread(np.stack(runs), ask.confidence) if wanted > 1 else 0.0
        evaluations = 1 + len(runs) * samples * len(self.against.rows)
        cut = len(runs) < wanted
        stopped: Stopped = "deadline" if cut else "evaluations" if errors.any() else "converged"
        return Sampled(values, errors, prediction, evaluations, _notices(cut, errors, ask), stopped)

    def _in_time(self, players: int, ask: Ask) -> tuple[int, int]:
        """The plan, with fewer coalitions where the deadline is likely to come before all its runs have ended."""
        baselines = len(self.against.rows)
        samples, wanted = _plan(players, baselines, ask)
        if ask.deadline is None:
            return samples, wanted
        left = ask.deadline - time.monotonic()
        takes = self.game.seconds(samples * wanted * baselines)
        if takes <= left:
            return samples, wanted
        fits = int(samples * wanted * baselines * max(left, 0.0) / takes)
        return max(fits // (RUNS * baselines), LEAST * players), RUNS

    def _centred(self, row: FloatArray, players: IntArray, scale: FloatArray, full: FloatArray) -> Game:
        """(v(S) - expected) / scale of 0/1 rows over `players`: the library takes every value below 1e-10 for zero."""
        baselines, weights = self.against.rows, self.against.weights[:, None]
        together = max(BLOCK // len(baselines), 1)

        def values(coalitions: FloatArray) -> FloatArray:
            known = np.zeros((len(coalitions), row.size), dtype=np.bool_)
            known[:, players] = coalitions > 0
            each = np.repeat(known, len(baselines), axis=0)
            seen = self.game(hybrids(row, np.tile(baselines, (len(coalitions), 1)), each))
            return np.asarray((weights * seen.reshape(len(coalitions), len(baselines), -1)).sum(axis=1))

        def centred(coalitions: FloatArray) -> FloatArray:
            out = np.zeros((len(coalitions), scale.size))
            size = coalitions.sum(axis=1)
            out[size == len(players)] = full
            inner = np.flatnonzero((size > 0) & (size < len(players)))
            for i in range(0, len(inner), together):
                some = inner[i : i + together]
                out[some] = (values(coalitions[some]) - self.expected) / scale
            return out

        return centred


def _plan(players: int, baselines: int, ask: Ask) -> tuple[int, int]:
    """Coalitions of one run, and how many runs: one where it can hold every coalition, none without players."""
    if players == 0:
        return 0, 0
    every = (1 << players) - 2
    usual = max(2 * players + COALITIONS, LEAST * players)
    budget = RUNS * baselines * usual if ask.max_evaluations is None else ask.max_evaluations - 1
    if every <= budget // baselines and (every <= usual or ask.max_evaluations is not None):
        return every, 1
    return budget // (RUNS * baselines), RUNS


def _run(game: Callable[[FloatArray], FloatArray], players: int, samples: int, seed: int) -> FloatArray:
    """Shapley values (players, outputs) by the library; `l1_reg` off, or all but ten features would become zero."""
    import shap

    with _own_random_state(seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Linear regression equation is singular")
        explainer = shap.KernelExplainer(game, np.zeros((1, players)))
        found = explainer.shap_values(np.ones((1, players)), nsamples=max(samples, 1), l1_reg=False, silent=True)
    return np.asarray(found[0], dtype=np.float64)


@contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """The library draws from numpy's global state: seed it, and put back what was there."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


def _spread(runs: FloatArray, confidence: float) -> FloatArray:
    if len(runs) < 2:
        return np.full(runs.shape[1:], np.nan)
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    return honest(error, np.asarray(len(runs) - 1.0), confidence)


def _notices(cut: bool, errors: FloatArray, ask: Ask) -> tuple[Notice, ...]:
    found: tuple[Notice, ...] = ()
    if cut:
        found = (Notice("deadline-reached", "Another run of the kernel method would have ended after the deadline."),)
    reached = two_sided(ask.confidence) * float(errors.max(initial=0.0))
    if ask.tolerance is None or reached <= ask.tolerance:
        return found
    known = "Nothing is known of the error" if np.isnan(reached) else f"Reached ±{reached:.3g}"
    detail = f"{known}; ±{ask.tolerance:.3g} was asked for, which the method permutation works towards."
    return (*found, Notice("tolerance-not-met", detail))


class Kernel:
    name: ClassVar[str] = "kernel"
    version: ClassVar[int] = 1
    family: ClassVar[Literal["shap", "lime"]] = "shap"
    rung: ClassVar[int] = 60
    summary: ClassVar[str] = (
        "KernelSHAP by the shap library, for comparison; permutation is better: unbiased, closer for the same work, "
        "and it samples until a tolerance is met."
    )

    def suits(self, subject: Subject, ask: Ask, row: FloatArray) -> Suitability:
        """Fits any model as soon as `max_evaluations` allows LEAST coalitions for each feature in every run."""
        players = int(differs(row, subject.background.rows).any(axis=0).sum())
        samples, runs = _plan(players, len(subject.background.rows), ask)
        least = LEAST * players
        if runs == RUNS and samples < least:
            due = 1 + RUNS * least * len(subject.background.rows)
            why = f"KernelSHAP of this row takes at least {due:,} evaluations, more than {ask.max_evaluations:,}."
            return Suitability(fits=False, exact=False, why=why)
        why = "Sampled by KernelSHAP of the shap library; the standard errors come from repeated runs."
        return Suitability(fits=True, exact=False, why=why)

    def prepare(self, subject: Subject, ask: Ask) -> PreparedKernel:
        game = Timed(in_space(subject.model, ask.space, ask.outputs))
        return PreparedKernel(game, subject.background, *baseline_values(game, subject.background))


METHOD = Kernel()
