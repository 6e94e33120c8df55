"""Vetting asks a worker's model about perturbed rows, in bounded time, and never fails by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explainer.errors import ModelFailed
from explainer.records import Feature, FloatArray, LoadOrder
from explainer.workers import codec
from explainer.workers.client import Worker
from explainer.workers.frames import ConnectionEndedError, Frame, receive, send
from explainer.workers.vetting import vetted
from tests.workers.fakes import order_of

Predict = Callable[[FloatArray], FloatArray]


def answering(predict: Predict) -> Worker:
    """A worker that answers predictions alone."""
    ours, theirs = socket.socketpair()
    worker = Worker(0, ours, lambda _: ours.shutdown(socket.SHUT_RDWR))

    def live() -> None:
        with theirs:
            while True:
                try:
                    frame = receive(theirs)
                except (ConnectionEndedError, OSError):
                    return
                send(theirs, replace(_answer(predict, frame), number=frame.number))

    threading.Thread(target=live, daemon=True).start()
    return worker


def _answer(predict: Predict, frame: Frame) -> Frame:
    try:
        return codec.predictions_frame(predict(codec.read_rows(frame)))
    except ModelFailed as error:
        return codec.error_frame(error)


def order(rows: int = 100) -> LoadOrder:
    """Rows whose four numbers hang together, so that mixtures look unlike any of them."""
    random = np.random.default_rng(0)
    real = random.normal(size=(rows + 20, 1)) + 0.05 * random.normal(size=(rows + 20, 4))
    spare = order_of()
    manifest = replace(spare.manifest, features=tuple(Feature(name, "number") for name in "abcd"))
    golden = np.zeros((20, 1))
    return replace(spare, manifest=manifest, background=real[:rows], golden_rows=real[rows:], golden_predictions=golden)


def codes(predict: Predict, given: LoadOrder | None = None) -> list[str]:
    worker = answering(predict)
    try:
        return [notice.code for notice in vetted(worker, given or order(), 1)]
    finally:
        worker.kill()


def plain(rows: FloatArray) -> FloatArray:
    return rows.sum(axis=1, keepdims=True)


def scaffold(rows: FloatArray) -> FloatArray:
    return np.asarray(np.where(rows.std(axis=1) < 0.15, rows[:, 0], np.cos(3 * rows[:, 3])))[:, None]


def failing(rows: FloatArray) -> FloatArray:
    if (rows.std(axis=1) > 0.5).any():
        raise ModelFailed("The model raised at a row that is not real.")
    return plain(rows)


def test_an_honest_model_passes() -> None:
    """A sum of its features is found to be nothing else."""
    assert codes(plain) == []


def test_a_scaffold_is_told() -> None:
    """A model that is another one off the line of real rows is found."""
    assert codes(scaffold) == ["scaffold"]


def test_a_model_that_fails_on_perturbed_rows_is_a_finding() -> None:
    """It cannot be tested, which is no refusal, but a person has to look at it."""
    assert codes(failing) == ["vetting-unfinished"]


def test_a_small_background_is_not_tested() -> None:
    """With fewer than 30 different rows the model is not asked at all."""

    def never(rows: FloatArray) -> FloatArray:
        raise AssertionError("asked")

    assert codes(never, order(20)) == []
    few = order(100)
    assert codes(never, replace(few, background=np.repeat(few.background[:5], 20, axis=0))) == []
