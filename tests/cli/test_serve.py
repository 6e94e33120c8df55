"""`explainer serve`: what is refused before a server starts (the server itself: tests/service)."""

from __future__ import annotations

import pytest

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
