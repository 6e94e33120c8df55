"""The desk of a command."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from explainer.cli.rooms import desk
from explainer.settings import Settings


def test_the_caller_is_whoever_is_at_this_machine(tmp_path: Path) -> None:
    """The local principal with the user's name, a request id of its own for each use case, by the door `cli`."""
    with desk(Settings(var=tmp_path, registry=tmp_path / "registry")) as at:
        first, second = at.caller(), at.caller()
        assert first.principal.role == first.principal.kind == "local"
        assert first.door == "cli"
        assert first.request_id != second.request_id
        assert at.rooms.registry.versions() == ()
        if "USER" not in os.environ and "LOGNAME" not in os.environ:
            assert first.principal.name == pwd.getpwuid(os.getuid()).pw_name


def test_without_workers_no_process_is_started(tmp_path: Path) -> None:
    """A command that opens no model costs no process, and an error inside leaves none behind."""
    with desk(Settings(var=tmp_path, registry=tmp_path / "registry")) as at:
        assert at.rooms.workers.processes() == []
    with pytest.raises(ZeroDivisionError), desk(Settings(var=tmp_path, registry=tmp_path / "registry")):
        raise ZeroDivisionError
