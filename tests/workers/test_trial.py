"""A version is tried before it is seen, and everything that is wrong with it is told."""

from __future__ import annotations

import threading

import pytest

from explainer.errors import ModelRefused
from explainer.settings import Settings
from explainer.workers.client import Worker
from explainer.workers.trial import tried
from tests.workers import fake_models
from tests.workers.fakes import order_of, row, thread_worker

SETTINGS = Settings(worker_timeout_s=5, open_timeout_s=0.5)


def test_a_good_version_passes_and_its_worker_is_ended() -> None:
    """The report comes back, and the worker that was tried is no more."""
    workers: list[Worker] = []

    def fork() -> Worker:
        workers.append(thread_worker())
        return workers[-1]

    assert tried(fork, order_of(), row(fake_models.GOOD), SETTINGS).report == fake_models.REPORT
    assert workers[0].wait_ended(5)


def test_every_fault_is_listed() -> None:
    """A model that answers NaN fails its prediction and each family of methods, and all of it is listed."""
    with pytest.raises(ModelRefused) as caught:
        tried(thread_worker, order_of(), row(fake_models.NAN), SETTINGS)
    assert [p.where for p in caught.value.problems] == ["predict", "explain by auto", "explain by lime"]
    assert "finite" in str(caught.value)


@pytest.mark.parametrize(("name", "rule"), [("raises", "model-failed"), ("hangs", "worker-timed-out")])
def test_a_version_that_does_not_open_is_refused(name: str, rule: str) -> None:
    """Whatever happens while it opens becomes ModelRefused, with what happened as its rule."""
    with pytest.raises(ModelRefused) as caught:
        tried(thread_worker, order_of(name), row(fake_models.GOOD), SETTINGS)
    assert [p.rule for p in caught.value.problems] == [rule]


def test_refusals_pass_unchanged() -> None:
    """A format's own list of reasons arrives as it was made."""
    with pytest.raises(ModelRefused, match="two things") as caught:
        tried(thread_worker, order_of("refused"), row(fake_models.GOOD), SETTINGS)
    assert len(caught.value.problems) == 2


def test_a_dead_worker_is_not_asked_further() -> None:
    """When the worker ends in the first step, that is the one thing that is told."""

    def fork() -> Worker:
        worker = thread_worker()
        threading.Timer(0.3, worker.kill).start()
        return worker

    with pytest.raises(ModelRefused) as caught:
        tried(fork, order_of(), row(fake_models.HANG), SETTINGS)
    assert [(p.where, p.rule) for p in caught.value.problems] == [("predict", "worker-died")]
