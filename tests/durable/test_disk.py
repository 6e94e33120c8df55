"""The file itself: private, one writer at a time among processes, and the same file as at the beginning."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from explainer.durable.disk import Identity, Turn, create_private
from explainer.errors import StorageFailed


def test_a_new_file_is_private_and_an_old_one_untouched(tmp_path: Path) -> None:
    """Folders are made on the way; what is there keeps its content."""
    path = tmp_path / "a" / "b.db"
    create_private(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"content")
    create_private(path)
    assert path.read_bytes() == b"content"


def holder(turn: Turn, ready: int) -> int:
    """A process that takes the turn, says so, and keeps it."""
    child = os.fork()
    if child == 0:
        turn.let_go()
        with turn.held():
            os.write(ready, b"x")
            time.sleep(60)
        os._exit(0)
    return child


def test_a_process_waits_for_its_turn_and_has_it_when_the_other_is_killed(tmp_path: Path) -> None:
    """Two processes never hold it at once, and one that is killed with -9 gives it back."""
    turn = Turn(tmp_path / "x.db")
    with turn.held():
        pass
    read, write = os.pipe()
    child = holder(turn, write)
    assert os.read(read, 1) == b"x"
    began, waiter = time.monotonic(), os.fork()
    if waiter == 0:
        time.sleep(0.2)
        os.kill(child, signal.SIGKILL)
        os._exit(0)
    with turn.held():
        assert time.monotonic() - began > 0.1
    os.waitpid(waiter, 0)
    os.waitpid(child, 0)
    assert stat.S_IMODE((tmp_path / "x.db.lock").stat().st_mode) == 0o600


def test_a_forked_child_that_lets_go_leaves_the_parents_turn(tmp_path: Path) -> None:
    """The child closes what it inherited; the parent holds its turn still, so the child would have to wait."""
    turn = Turn(tmp_path / "x.db")
    with turn.held():
        child = os.fork()
        if child == 0:
            turn.let_go()
            signal.alarm(1)
            with turn.held():
                os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGALRM


@pytest.mark.parametrize("again", [True, False])
def test_another_file_of_the_name_is_refused_for_good(tmp_path: Path, again: bool) -> None:
    """Removed or replaced, even if it is put back: what was written meanwhile is nobody's."""
    path = tmp_path / "x.db"
    path.touch()
    identity = Identity(path)
    identity.check()
    path.rename(tmp_path / "aside")
    if again:
        path.touch()
    with pytest.raises(StorageFailed, match="removed or replaced"):
        identity.check()
    (tmp_path / "aside").replace(path)
    with pytest.raises(StorageFailed, match="removed or replaced"):
        identity.check()
