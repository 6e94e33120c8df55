"""`explainer demo`: where it keeps its things, and who gets in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from explainer.cli.demo import DEMO_NAME, _is_loopback, _make_ways_in, demo_settings
from explainer.errors import InvalidOption
from explainer.settings import Settings
from explainer.wiring import furnish
from tests.cli.conftest import Shell


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)]
    + [(h, False) for h in ("0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.evil.example", "")],
)
def test_only_loopback_is_inside(host: str, inside: bool) -> None:
    """Addresses that other machines reach are told from those that they do not."""
    assert _is_loopback(host) is inside


def test_the_demo_listens_to_nobody_else(shell: Shell, tmp_path: Path) -> None:
    """A known password on an open address is refused before anything is made."""
    done = shell("demo", "--host", "0.0.0.0", EXPLAINER_VAR=str(tmp_path / "demo"))
    assert done.status == 1
    assert "loopback only" in done.err
    assert not (tmp_path / "demo").exists()


def test_ways_in_are_made_once_and_are_secret(tmp_path: Path) -> None:
    """Password and key are in files for their owner only, open the demo role, and stay the same at the next start."""
    settings = Settings(var=tmp_path / "demo", registry=tmp_path / "demo" / "registry")
    password = _make_ways_in(settings)
    key = (settings.var / "api-key").read_text().strip()
    for name in ("api-key", "sign-in"):
        assert stat.S_IMODE((settings.var / name).stat().st_mode) == 0o600
    access = furnish(settings).access
    assert access.principal_of_bearer(key).role == "demo"
    assert access.principal_of_session(access.sign_in(DEMO_NAME, password, "127.0.0.1")).role == "demo"
    assert _make_ways_in(settings) == password
    assert (settings.var / "api-key").read_text().strip() == key


def test_a_lost_password_is_said(tmp_path: Path) -> None:
    """When the file is gone but the person is there, the way out is told."""
    settings = Settings(var=tmp_path / "demo", registry=tmp_path / "demo" / "registry")
    _make_ways_in(settings)
    (settings.var / "sign-in").unlink()
    with pytest.raises(InvalidOption, match="begin the demo anew"):
        _make_ways_in(settings)


def test_the_demo_keeps_to_its_own_folder() -> None:
    """Without EXPLAINER_VAR everything goes under var/demo, as absolute paths that do not hang on the folder."""
    settings = demo_settings(Settings())
    assert settings.var == Path("var/demo").absolute()
    assert settings.registry == Path("var/demo/registry").absolute()
