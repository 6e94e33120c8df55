"""`explainer serve`: what is refused before a server starts (the server itself: tests/service)."""

from __future__ import annotations

import socket

import pytest

from explainer.cli.serve import check_free
from explainer.errors import Conflict, InvalidOption
from tests.cli.conftest import Shell


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none(shell: Shell, port: str) -> None:
    """Wrong usage, status 2."""
    assert shell("serve", "--port", port).status == 2


def test_a_bad_setting(shell: Shell) -> None:
    """The server does not start with a setting that cannot be read."""
    done = shell("serve", EXPLAINER_THREADS="many")
    assert done.status == 1
    assert "EXPLAINER_THREADS" in done.err


def test_a_port_in_use_is_told_before_anything_starts() -> None:
    """The message names the port; a free one passes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=str(port)):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)
    with pytest.raises(InvalidOption, match="host"):
        check_free("192.0.2.1", port)
