"""Settings from the environment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from explainer.settings import Settings, SettingsError


def test_nothing_given_is_all_defaults() -> None:
    """Variables of other programs are none of ours."""
    assert Settings.from_environment({"PATH": "/bin", "EXPLAINERX": "1", "explainer_port": "1"}) == Settings()


def test_every_setting_can_be_given() -> None:
    """Each field is read from its variable, by its type."""
    given = {
        "EXPLAINER_VAR": "/srv/x",
        "EXPLAINER_TRUSTED_KEYS": "/srv/keys",
        "EXPLAINER_PORT": "9000",
        "EXPLAINER_WORKER_TIMEOUT_S": "2.5",
        "EXPLAINER_SECURE_COOKIES": "1",
        "EXPLAINER_LOG_LEVEL": "DEBUG",
    }
    read = Settings.from_environment(given)
    assert (read.var, read.trusted_keys) == (Path("/srv/x"), Path("/srv/keys"))
    assert (read.port, read.worker_timeout_s, read.secure_cookies, read.log_level) == (9000, 2.5, True, "DEBUG")


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda f: f.name)
def test_every_default_reads_back(field: dataclasses.Field[object]) -> None:
    """A default, written as its variable's text, is read as the same value."""
    default = field.default
    if default is not None:
        text = str(int(default)) if isinstance(default, bool) else str(default)
        read = Settings.from_environment({f"EXPLAINER_{field.name.upper()}": text})
        assert getattr(read, field.name) == default


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("TRUE", True), ("0", False), ("False", False)]
)
def test_yes_and_no(text: str, value: bool) -> None:
    """1, 0, true and false are understood, in any case."""
    assert Settings.from_environment({"EXPLAINER_SECURE_COOKIES": text}).secure_cookies is value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("EXPLAINER_PORT", "many"),
        ("EXPLAINER_PORT", ""),
        ("EXPLAINER_PORT", "8080.5"),
        ("EXPLAINER_SECURE_COOKIES", "yes please"),
        ("EXPLAINER_OPEN_TIMEOUT_S", "soon"),
        ("EXPLAINER_PROT", "8080"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, text: str) -> None:
    """An unknown or unreadable variable is never ignored: the service does not start with a guess."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: text})
