"""How large a process is, and when it is too large."""

from __future__ import annotations

import os

from explainer.workers.size import Size


def test_this_process_has_a_size() -> None:
    """It is at least what this test has allocated and written to."""
    before = Size(os.getpid(), 0).bytes()
    held = bytearray(os.urandom(2**20) * 64)
    assert Size(os.getpid(), 0).bytes() - before > 0.9 * len(held)


def test_a_bound_of_zero_is_none() -> None:
    """Nothing outgrows 0, everything outgrows 1 MB, and it is looked at again only after a while."""
    assert not Size(os.getpid(), 0).outgrown()
    size = Size(os.getpid(), 1)
    assert size.outgrown()
    assert not size.outgrown()


def test_who_has_ended_has_no_size() -> None:
    """A number that no process has gives 0."""
    assert Size(None, 1).bytes() == 0
    assert not Size(2**22 + 1, 1).outgrown()
