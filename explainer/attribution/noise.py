"""Finds out whether a model answers the same row differently, and widens the stated errors by how much it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explainer.attribution.game import Game
from explainer.attribution.model import BoolArray
from explainer.attribution.ports import Attributions
from explainer.records import FloatArray, Notice

REPEATS = 16  # answers to the same row, and
SURE = 1.44  # times their spread is exceeded by the true one in one case of twenty (chi-squared, 15 degrees)


def with_noise(
    given: Attributions, game: Game, rows: FloatArray, off: FloatArray, rounding: FloatArray
) -> tuple[Attributions, BoolArray]:
    """Ask the model again about rows whose sum is `off` by more than `rounding`, both (rows, outputs).

    Where its answers to one row differ by more than rounding too, the row's standard errors are widened: every
    attribution rests on differences of two answers, so twice the noise's variance is added to its own. A notice says
    so, and the second result (rows,) says which rows these are. What does not differ stays as it is.
    """
    found = np.zeros(len(rows), dtype=np.bool_)
    errors = given.standard_errors.copy()
    notices = list(given.notices or ((),) * len(rows))
    for i in np.flatnonzero((off > rounding).any(axis=1)):
        noise = spread(game, rows[i])
        found[i] = (noise > rounding[i]).any()
        if found[i]:
            errors[i] = np.sqrt(errors[i] ** 2 + 2 * noise**2)
            notices[i] = (*notices[i], _notice(noise))
    return replace(given, standard_errors=errors, notices=tuple(notices)) if found.any() else given, found


def spread(game: Game, row: FloatArray) -> FloatArray:
    """An upper bound (outputs,) of the standard deviation of the model's answers to one row, from REPEATS of them."""
    answers = np.concatenate([game(row[None]) for _ in range(REPEATS)])
    return np.asarray(SURE * answers.std(axis=0, ddof=1))


def _notice(noise: FloatArray) -> Notice:
    return Notice(
        "noisy-model",
        f"The model answers this row differently from call to call, with a standard deviation of up to "
        f"{float(noise.max()):.2g}. The errors hold that; another request may get other numbers.",
    )
