"""Processes forked later see one another's entries."""

from __future__ import annotations

import os

import pytest

from explainer.listening import siblings
from explainer.listening.siblings import Siblings


def test_an_entry_is_seen_by_other_processes_and_not_ones_own() -> None:
    """What a forked process writes is the least that its parent sees, and the parent's own entry does not count."""
    shared = Siblings()
    shared.write(1, 0)
    assert shared.fewest(1) is None
    pid = os.fork()
    if pid == 0:
        shared.write(2, 7)
        os._exit(0)
    os.waitpid(pid, 0)
    shared.write(3, 9)
    assert shared.fewest(1) == 7
    assert shared.fewest(2) == 0


def test_who_no_longer_writes_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ended keeps nobody from taking connections once its entry is old."""
    shared = Siblings()
    shared.write(2, 0)
    assert shared.fewest(1) == 0
    monkeypatch.setattr(siblings, "FRESH_S", -1.0)
    assert shared.fewest(1) is None
