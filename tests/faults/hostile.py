"""An estimator that misbehaves on purpose; it is kept by value in a signed joblib file, as a careless owner would."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

import numpy as np

GOOD, RAISE, NAN, SHAPE, LENGTH, MANY, PRINT, FORK, MEMORY, EXIT, HANG, SLOW, OBJECT = range(13)


class Hostile:
    """Answers 2 x + 3 y of rows (deed, x, y); a deed other than 0 anywhere in the rows is done first."""

    n_features_in_ = 3

    def predict(self, rows: Any) -> Any:
        answer = 2.0 * rows[:, 1] + 3.0 * rows[:, 2]
        deeds = {int(deed) for deed in rows[:, 0]} - {GOOD}
        return self.misbehave(deeds.pop(), answer, rows) if deeds else answer

    def misbehave(self, deed: int, answer: Any, rows: Any) -> Any:
        if deed in DEEDS:
            DEEDS[deed]()
        answers = {
            NAN: np.full(len(rows), np.nan),
            SHAPE: np.zeros((len(rows), 2)),
            LENGTH: np.zeros(len(rows) + 1),
            OBJECT: np.array([{"a": 1}] * len(rows), dtype=object),
        }
        return np.zeros((len(rows), 1_000_000)) if deed == MANY else answers.get(deed, answer)


def fail() -> None:
    raise ValueError("cannot make sense of it")


def eat() -> list[Any]:
    return [np.empty(2**24) for _ in range(10**6)]


def hang() -> None:
    while True:
        time.sleep(60)


def shout() -> None:
    for _ in range(20):
        os.write(1, b"x" * 2**20)
        os.write(2, b"y" * 2**20)


def fork() -> None:
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            hang()


DEEDS = {
    RAISE: fail,
    MEMORY: eat,
    EXIT: lambda: os._exit(3),
    HANG: hang,
    SLOW: lambda: time.sleep(0.2),
    PRINT: shout,
    FORK: fork,
}
