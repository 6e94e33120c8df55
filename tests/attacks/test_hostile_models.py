"""Hostile model files are tried in a throw-away worker: none takes more than that with it, and none runs its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.hostile.__main__ import ENDINGS, LIMITS, tried
from benchmarks.hostile.files import KINDS, Kind
from explainer.workers.pool import WorkerPools

MUTANTS = 4


@pytest.fixture(scope="module")
def pools() -> Iterator[WorkerPools]:
    made = WorkerPools(LIMITS)
    made.start()
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_hostile_files_are_refused_with_their_reasons(kind: Kind, pools: WorkerPools, tmp_path: Path) -> None:
    """Of each format: the good file opens in an enclosed worker before and after mutants, bombs and pickles."""
    found, wrong = tried(pools, kind, MUTANTS, tmp_path)
    number = sum(found[ending] for ending in ENDINGS)
    assert wrong == 0
    assert number >= MUTANTS + 15
    assert found["refused"] > 0.6 * number


def test_every_pickle_would_leave_its_mark_where_it_is_opened(tmp_path: Path) -> None:
    """The marker is no toothless one: pickle itself runs it."""
    import pickle

    from benchmarks.hostile.files import Marker

    pickle.loads(pickle.dumps(Marker(str(tmp_path / "ran"))))
    assert (tmp_path / "ran").exists()
