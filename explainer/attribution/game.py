"""What a model answers in the output space asked for: a function from coded rows to numbers, checked on every call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import ceil

import numpy as np

from explainer.attribution.model import OpenedModel
from explainer.errors import InvalidOption, ModelFailed
from explainer.records import FloatArray, OutputSpace

Game = Callable[[FloatArray], FloatArray]

BLOCK = 8192  # rows of one model call: large enough to hide a call's fixed cost, small enough for the cache
SUM_SLACK = 0.02  # remote models round; logits or scores handed out as probabilities are far outside

SPACES: tuple[OutputSpace, ...] = ("raw", "log_odds", "probability")


def in_space(model: OpenedModel, space: OutputSpace, outputs: Sequence[int]) -> Game:
    """The model as a function of coded rows (n, features) giving (n, len(outputs)) float64 in `space`.

    `probability` is the model's own prediction. `raw` is the margin before the link, or the prediction where the
    model shows no margin; the single margin of a binary model belongs to class 1, and class 0 has its negative.
    `log_odds` is ln(p / (1 - p)): the margin itself for a logistic link, the margin less the log-sum-exp of the other
    margins for softmax, and ln(p / sum of the other probabilities) where no margin is known.

    Raises InvalidOption when the model has no such space, or, during a call, when a probability without a margin is
    exactly 0 or 1 so that its log-odds are infinite; ModelFailed when an answer is wrongly shaped, not finite, or no
    probability.
    """
    if space not in SPACES:
        raise InvalidOption(f"output {space!r} is not known; choose one of {', '.join(SPACES)}.")
    if model.task == "regression" and space != "raw":
        raise InvalidOption(f'output "{space}" needs a classifier; this model is a regression: ask for "raw".')
    source = {"raw": _raw, "log_odds": _log_odds, "probability": _probability}[space]
    picked = list(outputs)

    def game(rows: FloatArray) -> FloatArray:
        return np.ascontiguousarray(source(model, rows)[:, picked])

    return game


class Timed:
    """A game that knows from its calls how long others will take; two sizes tell a call's own cost from its rows'."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self._calls: dict[int, tuple[int, float]] = {}  # rows and seconds of the latest call of each power of two

    def __call__(self, rows: FloatArray) -> FloatArray:
        began = time.monotonic()
        values = self._game(rows)
        self.note(len(rows), time.monotonic() - began)
        return values

    def note(self, rows: int, seconds: float) -> None:
        """That so many rows took so long."""
        self._calls[rows.bit_length()] = rows, seconds

    def seconds(self, rows: int) -> float:
        """What so many rows are likely to take in calls of BLOCK; nothing before the first call."""
        if not self._calls:
            return 0.0
        (few, least), (many, most) = self._calls[min(self._calls)], self._calls[max(self._calls)]
        each = (most - least) / (many - few) if many > few and most > least else most / max(many, 1)
        return each * rows + max(least - each * few, 0.0) * ceil(rows / BLOCK)


def in_blocks(game: Game, rows: FloatArray) -> FloatArray:
    """Evaluate `game` on (n, features) rows in calls of at most BLOCK rows; the layout depends on n alone."""
    return np.concatenate([game(rows[i : i + BLOCK]) for i in range(0, max(len(rows), 1), BLOCK)])


def _raw(model: OpenedModel, rows: FloatArray) -> FloatArray:
    if model.margin is None:
        return _predicted(model, rows)
    margin = _checked(model.margin(rows), len(rows), "margin")
    if model.task == "classification" and model.outputs == 2 and margin.shape[1] == 1:
        return np.concatenate([-margin, margin], axis=1)
    return _wide(margin, model.outputs, "margin")


def _log_odds(model: OpenedModel, rows: FloatArray) -> FloatArray:
    if model.margin is None or (model.link, model.outputs) not in {("logistic", 2), ("softmax", model.outputs)}:
        return _logit(_probability(model, rows))
    margin = _raw(model, rows)
    return margin if model.link == "logistic" else _against_the_rest(margin)


def _probability(model: OpenedModel, rows: FloatArray) -> FloatArray:
    p = _predicted(model, rows)
    if model.task == "classification" and (
        p.min(initial=0.0) < 0 or p.max(initial=0.0) > 1 or np.abs(p.sum(axis=1) - 1).max(initial=0.0) > SUM_SLACK
    ):
        raise ModelFailed("The model's predictions are not probabilities: each must lie in 0..1 and a row sum to 1.")
    return p


def _logit(p: FloatArray) -> FloatArray:
    others = np.stack([np.delete(p, c, axis=1).sum(axis=1) for c in range(p.shape[1])], axis=1)
    if (p <= 0).any() or (others <= 0).any():
        raise InvalidOption(
            "The model answers a probability of exactly 0 or 1, whose log-odds are infinite, and shows no margin; "
            'ask for output "probability".'
        )
    return np.asarray(np.log(p) - np.log(others))


def _against_the_rest(margin: FloatArray) -> FloatArray:
    """ln(p_c / (1 - p_c)) of a softmax, from the margins and so without ever rounding a probability to 0 or 1."""
    columns = []
    for c in range(margin.shape[1]):
        others = np.delete(margin, c, axis=1)
        top = others.max(axis=1)
        columns.append(margin[:, c] - top - np.log(np.exp(others - top[:, None]).sum(axis=1)))
    return np.stack(columns, axis=1)


def _predicted(model: OpenedModel, rows: FloatArray) -> FloatArray:
    return _wide(_checked(model.predict(rows), len(rows), "prediction"), model.outputs, "prediction")


def _checked(answer: object, rows: int, what: str) -> FloatArray:
    try:
        values = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelFailed(f"The model's {what} cannot be read as numbers.") from None
    if values.ndim != 2 or len(values) != rows:
        raise ModelFailed(f"The model's {what} has shape {values.shape} for {rows} rows; ({rows}, outputs) was due.")
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
        raise ModelFailed(f"The model's {what} is not finite (NaN or infinity) for {bad} of {rows} rows.")
    return values


def _wide(values: FloatArray, outputs: int, what: str) -> FloatArray:
    if values.shape[1] != outputs:
        raise ModelFailed(f"The model's {what} has {values.shape[1]} columns; {outputs} were due.")
    return values
