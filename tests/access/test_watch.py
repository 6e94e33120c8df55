"""Proves that a change by any process is seen at once, and that nothing is read again until then."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from explainer.access.admit import Access
from explainer.access.keys import Keys
from explainer.access.watch import Remembered, Watch
from explainer.errors import NotAuthenticated, StorageFailed

GOOD = "correct horse battery"


def counted(keys: Keys) -> list[str]:
    """The ids that are read from the file from now on."""
    asked: list[str] = []
    load = keys._known._load

    def note(key_id: str) -> tuple[bytes, object] | None:
        asked.append(key_id)
        return load(key_id)

    keys._known._load = note  # type: ignore[assignment]
    return asked


def test_a_key_is_read_once_until_something_changes(access: Access) -> None:
    """A hundred requests read the key's record once; a session that begins changes nothing about that."""
    token, key = access.keys.issue("k", "analyst")
    access.principal_of_bearer(token)
    asked = counted(access.keys)
    for _ in range(100):
        access.principal_of_bearer(token)
    access.people.add("anna", GOOD, "application")
    access.sign_in("anna", GOOD, "a")
    access.principal_of_bearer(token)
    assert asked == []
    access.keys.revoke(access.keys.issue("other", "analyst")[1].id)
    access.principal_of_bearer(token)
    assert asked == [key.id]


def test_another_process_sees_a_revocation_with_its_next_request(access: Access) -> None:
    """What one process revokes another refuses at once, although it had remembered the key."""
    token, key = access.keys.issue("k", "analyst")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    other = context.Process(target=_serve, args=(str(access._file.path), theirs))
    other.start()
    try:
        for expected in ("good", "good"):
            ours.send(token)
            assert ours.poll(30)
            assert ours.recv() == expected
        access.keys.revoke(key.id)
        ours.send(token)
        assert ours.poll(30)
        assert ours.recv() == "refused"
    finally:
        ours.send(None)
        other.join(30)
    assert other.exitcode == 0


def _serve(path: str, pipe: multiprocessing.connection.Connection) -> None:
    access = Access(Path(path))
    while (token := pipe.recv()) is not None:
        try:
            access.principal_of_bearer(token)
            pipe.send("good")
        except NotAuthenticated:
            pipe.send("refused")


def test_a_forked_process_watches_for_itself(access: Access) -> None:
    """A child of a process that watched already sees changes, and its parent goes on."""
    token, key = access.keys.issue("k", "analyst")
    access.principal_of_bearer(token)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            access.principal_of_bearer(token)
            access.keys.revoke(key.id)
            access.principal_of_bearer(token)
        except NotAuthenticated:
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(NotAuthenticated):
        access.principal_of_bearer(token)


@pytest.mark.parametrize("change", ["role", "disabled", "session", "stage"])
def test_every_change_of_rights_is_a_new_generation(access: Access, change: str) -> None:
    """A person's role and state, a session's end and its step: each is seen by whoever remembers records."""
    anna = access.people.add("anna", GOOD, "application")
    token, session = access.sessions.start(anna.id, "a", stage="prove")
    before = access._watch.generation()
    if change == "role":
        access.people.set_role(anna.id, "analyst")
    elif change == "disabled":
        access.people.set_disabled(anna.id, True)
    elif change == "session":
        access.sessions.end(session.id, anna.id)
    else:
        access.sessions.promote(token)
    assert access._watch.generation() != before


def test_what_is_not_there_is_not_remembered(access: Access) -> None:
    """Unknown keys take no place, so nobody can fill the memory with them; and a new key is good at once."""
    for _ in range(5):
        assert access.keys.holder("xk_aaaaaaaa_" + "A" * 43) is None
    assert access.keys._known._known == {}


def test_memory_is_bounded(access: Access) -> None:
    """Beyond its places the table begins anew instead of growing."""
    remembered: Remembered[int, str] = Remembered(Watch(access._file), str, most=10)
    for i in range(1000):
        assert remembered.get(i) == str(i)
        assert len(remembered._known) <= 10


def test_a_record_read_before_a_change_is_never_kept_after_it(access: Access) -> None:
    """A thread that was slow to read finds its old record dropped with the generation that it belongs to."""
    anna = access.people.add("anna", GOOD, "application")
    slow, go = threading.Event(), threading.Event()
    load = access.people._known._load

    def slowly(person_id: str) -> object:
        found = load(person_id)
        slow.set()
        go.wait(30)
        return found

    access.people._known._load = slowly  # type: ignore[assignment]
    thread = threading.Thread(target=access.people.known, args=(anna.id,))
    thread.start()
    assert slow.wait(30)
    access.people._known._load = load
    access.people.set_role(anna.id, "analyst")
    access.people.known("usr_other")
    go.set()
    thread.join(30)
    found = access.people.known(anna.id)
    assert found is not None
    assert found.role == "analyst"


def test_a_file_that_cannot_be_read_refuses_everybody(access: Access) -> None:
    """A watch that cannot see lets nobody in, and sees again when the file can be read again."""
    token, _ = access.keys.issue("k", "analyst")
    access.principal_of_bearer(token)

    class Broken:
        def execute(self, _: str) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        def close(self) -> None: ...

    access._watch._connection = Broken()  # type: ignore[assignment]
    with pytest.raises(StorageFailed):
        access.principal_of_bearer(token)
    access.principal_of_bearer(token)


def test_a_closed_watch_holds_no_connection(access: Access) -> None:
    """Closing gives the connection back, and after that nothing is read."""
    token, _ = access.keys.issue("k", "analyst")
    access.principal_of_bearer(token)
    access.close()
    with pytest.raises(StorageFailed):
        access.principal_of_bearer(token)
