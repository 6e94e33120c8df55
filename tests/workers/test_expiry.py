"""Jobs are looked at when their patience is over."""

from __future__ import annotations

import threading
import time

import numpy as np

from explainer.workers.asking import Asking, Group, Job
from explainer.workers.expiry import Expiry


def job(patience_s: float) -> Job:
    return Job(np.zeros((1, 1)), Group("predict", None), Asking(), lambda _: None, patience_s)


def test_each_is_called_at_its_time_and_again_as_it_says() -> None:
    """The shorter patience comes first although it was added last; an answer in seconds is a further call."""
    called: list[str] = []
    done = threading.Event()
    names: dict[int, str] = {}

    def expired(one: Job) -> float | None:
        called.append(names[id(one)])
        if called.count("short") == 2 and "long" in called:
            done.set()
        return time.monotonic() + 0.05 if called == ["short"] else None

    expiry = Expiry(expired, "test")
    jobs = {"long": job(0.3), "short": job(0.05), "over": job(0.01)}
    names.update({id(one): name for name, one in jobs.items()})
    jobs["over"].over = True
    for name in ("long", "over", "short"):
        expiry.watch(jobs[name])
    assert done.wait(5)
    assert called == ["short", "short", "long"]
    expiry.close()


def test_after_closing_nobody_is_called() -> None:
    """What waits is let go of, and the thread ends."""
    called: list[Job] = []
    expiry = Expiry(called.append, "closing")
    expiry.watch(job(0.1))
    expiry.close()
    expiry.watch(job(0.01))
    time.sleep(0.2)
    assert called == []
    assert "closing" not in {thread.name for thread in threading.enumerate()}
