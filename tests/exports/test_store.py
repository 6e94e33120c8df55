"""Exports in their file: quotas, leases, idempotency, states."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from explainer.errors import Conflict, NotFound
from explainer.exports.holders import gone, this_process
from explainer.exports.jobs import Job
from explainer.exports.spec import Source, Spec, from_json, to_json
from explainer.exports.store import LEASE_S, ExportStore
from explainer.records import BackgroundRows, ExplainOptions
from tests.exports.jobs import job_of, spec_of


@pytest.fixture
def store(tmp_path: Path) -> ExportStore:
    return ExportStore(tmp_path / "exports.db")


def job(priority: int = 0, principal: str = "key_a") -> Job:
    return job_of(spec_of(Path("rows.csv")), principal, priority=priority)


def test_a_spec_is_kept_as_it_is(store: ExportStore) -> None:
    """Everything that was fixed at submission comes back, a background of its own rows included."""
    background = BackgroundRows("d" * 64, 3, b"\x00\x01\xff" * 8)
    options = ExplainOptions(method="lime", background=background, top=3, seed=7)
    spec = Spec("m", "1", "d", "b", Source(("a.csv", "b.csv"), ";", "latin-1"), options, carry=("x",), where="adverse")
    assert from_json(to_json(spec)) == spec
    assert store.get(store.submit(job_of(spec)).id).spec == spec


def test_the_highest_priority_and_the_oldest_come_first(store: ExportStore) -> None:
    """Claims go by priority, then by age; nothing is claimed twice."""
    first, second, urgent = (store.submit(job(p)).id for p in (0, 0, 5))
    holder = this_process()
    claimed = [store.claim(holder) for _ in range(4)]
    assert [c.id if c else None for c in claimed] == [urgent, first, second, None]


def test_many_runners_never_share_an_export(store: ExportStore) -> None:
    """Twelve threads that claim at once get twelve different exports."""
    for _ in range(12):
        store.submit(job())
    found: list[str] = []

    def claim() -> None:
        claimed = store.claim(this_process())
        assert claimed is not None
        found.append(claimed.id)

    threads = [threading.Thread(target=claim) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 12


def test_a_lease_that_ran_out_can_be_taken(store: ExportStore) -> None:
    """Another runner takes over when nobody renewed in time, and the first one can keep nothing more."""
    store.submit(job())
    one, other = "elsewhere:1:1:aa", "elsewhere:2:1:bb"
    claimed = store.claim(one)
    assert claimed is not None
    assert store.claim(other) is None
    taken = store.claim(other, time.time() + LEASE_S + 1)
    assert taken is not None
    assert taken.holder == other
    with pytest.raises(Conflict, match="another runner"):
        store.renew(claimed.id, one)
    store.renew(claimed.id, other)


def test_a_dead_process_holds_nothing(store: ExportStore) -> None:
    """An export whose runner was killed on this machine is due again at once."""
    code = "from explainer.exports.holders import this_process; print(this_process())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert gone(dead)
    assert not gone(this_process())
    assert not gone("another-host:1:1:aa")
    store.submit(job())
    assert store.claim(dead) is not None
    assert store.claim(this_process()) is not None


def test_a_number_that_another_process_has_now_is_no_holder() -> None:
    """A process number that was given out anew does not keep a lease alive."""
    host = this_process().split(":")[0]
    assert gone(f"{host}:{os.getpid()}:12345:aa")


def test_an_idempotency_key_makes_one_export(store: ExportStore) -> None:
    """The same key gives the same export, to the same principal only; with another request it is refused."""
    first = store.submit(job(), idempotency="k", request="r")
    assert store.submit(job(), idempotency="k", request="r").id == first.id
    assert store.submit(job(principal="key_b"), idempotency="k", request="r").id != first.id
    assert store.earlier("key_a", "k", "r") == first
    assert store.earlier("key_a", "other", "r") is None
    for again in (lambda: store.submit(job(), idempotency="k", request="s"), lambda: store.earlier("key_a", "k", "s")):
        with pytest.raises(Conflict, match="another request"):
            again()


def test_states_change_only_as_they_may(store: ExportStore) -> None:
    """What is not possible in a state is refused in words."""
    waiting = store.submit(job())
    assert store.change(waiting.id, "paused", ("queued", "running")).state == "paused"
    assert store.open_count("key_a") == 1
    assert store.claim(this_process()) is None
    with pytest.raises(Conflict, match="is paused; that is possible while it is queued or running"):
        store.change(waiting.id, "paused", ("queued", "running"))
    assert store.change(waiting.id, "cancelled", ("paused",), expires=1.0).state == "cancelled"
    assert store.open_count("key_a") == 0
    assert [j.id for j in store.expired()] == [waiting.id]
    store.settle(waiting.id)
    assert store.expired() == []
    assert store.get(waiting.id).state == "cancelled"


def test_what_is_put_back_waits(store: ExportStore) -> None:
    """After trouble an export is due again later, and how often in a row is counted."""
    store.submit(job())
    holder = this_process()
    claimed = store.claim(holder)
    assert claimed is not None
    assert store.give_back(claimed.id, holder, error="no room", wait_s=100) == 1
    assert store.get(claimed.id).error == "no room"
    assert store.claim(holder) is None
    assert store.claim(holder, time.time() + 101) is not None
    assert store.failures(claimed.id) == 1


def test_what_is_not_there(store: ExportStore) -> None:
    """An unknown id is NotFound."""
    for ask in (lambda: store.get("exp_x"), lambda: store.change("exp_x", "paused", ("queued",))):
        with pytest.raises(NotFound, match="exp_x"):
            ask()
