"""Proves that the keys are read from exactly one place, and that no message shows them."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

from explainer.masterkeys import read_master_keys
from explainer.sealing import MasterKeys
from explainer.settings import Settings, SettingsError

KEYS = [bytes(range(i, i + 32)) for i in (0, 200)]
TEXTS = [base64.b64encode(key).decode() for key in KEYS]
IDS = MasterKeys(KEYS).ids


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_none_is_none() -> None:
    """Without a setting nothing is encrypted, and nothing is guessed."""
    assert read_master_keys(Settings()) is None


def test_the_three_sources_give_the_same_keys(tmp_path: Path) -> None:
    """Variable, file and command take one or several keys, the first first; comments and blank lines do not count."""
    file = private(tmp_path / "keys", f"# made in November\n{TEXTS[0]}  # in use\n\n{TEXTS[1]}\n")
    for settings in (
        Settings(master_key=" ".join(TEXTS)),
        Settings(master_key=base64.urlsafe_b64encode(KEYS[0]).decode() + "\n" + TEXTS[1]),
        Settings(master_key_file=file),
        Settings(master_key_command=f"cat '{file}'"),
    ):
        keys = read_master_keys(settings)
        assert keys is not None
        assert keys.ids == IDS


def test_they_are_read_from_the_environment(tmp_path: Path) -> None:
    """The variables are those of the documentation."""
    file = private(tmp_path / "keys", TEXTS[0])
    for given in (
        {"EXPLAINER_MASTER_KEY": TEXTS[0]},
        {"EXPLAINER_MASTER_KEY_FILE": str(file)},
        {"EXPLAINER_MASTER_KEY_COMMAND": f"cat {file}"},
    ):
        keys = read_master_keys(Settings.from_environment(given))
        assert keys is not None
        assert keys.ids == IDS[:1]


def test_two_sources_are_refused(tmp_path: Path) -> None:
    """Which of two would count is never guessed."""
    with pytest.raises(SettingsError, match="EXPLAINER_MASTER_KEY and EXPLAINER_MASTER_KEY_FILE"):
        read_master_keys(Settings(master_key=TEXTS[0], master_key_file=tmp_path / "keys"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "gives no key"),
        ("# nothing", "gives no key"),
        ("not*base64*hunter2", "Key 1 of EXPLAINER_MASTER_KEY is not base64"),
        ("aHVudGVyMg==", "Key 1 of EXPLAINER_MASTER_KEY has 7 bytes"),
        (TEXTS[0] + " hunter2", "Key 2 of EXPLAINER_MASTER_KEY"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_without_showing_it(text: str, why: str) -> None:
    """The message says which key and why, not what it was."""
    with pytest.raises(SettingsError, match=why) as raised:
        read_master_keys(Settings(master_key=text))
    assert "hunter2" not in str(raised.value)
    assert TEXTS[0] not in str(raised.value)
    assert raised.value.__cause__ is None


def test_settings_do_not_show_their_secrets() -> None:
    """The text of the settings holds neither a key nor the address of Redis, which may hold a password."""
    shown = repr(Settings(master_key=TEXTS[0], redis_url="redis://:hunter2@localhost"))
    assert TEXTS[0] not in shown
    assert "hunter2" not in shown


def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    """A key must be its owner's (and group's) alone."""
    file = private(tmp_path / "keys", TEXTS[0])
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod o="):
        read_master_keys(Settings(master_key_file=file))
    file.chmod(0o640)
    assert read_master_keys(Settings(master_key_file=file)) is not None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file and one that is no text stop the start with their name."""
    with pytest.raises(SettingsError, match="No such file"):
        read_master_keys(Settings(master_key_file=tmp_path / "none"))
    file = private(tmp_path / "keys", "")
    file.write_bytes(KEYS[1])
    with pytest.raises(SettingsError, match="not text"):
        read_master_keys(Settings(master_key_file=file))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; print('hunter2', file=sys.stderr); print('hunter2'); sys.exit(3)", "ended with status 3"),
        ("print('hunter2')", "Key 1 of EXPLAINER_MASTER_KEY_COMMAND"),
        ("import sys; sys.stdout.buffer.write(bytes([255, 254]))", "no text"),
    ],
)
def test_a_command_that_fails_is_refused_without_its_words(code: str, why: str) -> None:
    """What a command printed may be the secret: only its status and what is wrong with it are told."""
    command = f'{sys.executable} -c "{code}"'
    with pytest.raises(SettingsError, match=why) as raised:
        read_master_keys(Settings(master_key_command=command))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("command", ["/no/such/program", "", "'unfinished"])
def test_a_command_that_cannot_be_run_is_refused(command: str) -> None:
    """A missing program, an empty line and an open quote are errors of the setting."""
    with pytest.raises(SettingsError, match="could not be run"):
        read_master_keys(Settings(master_key_command=command))


def test_a_command_is_no_shell_script(tmp_path: Path) -> None:
    """Nothing in the line is interpreted: no second command, no expansion."""
    with pytest.raises(SettingsError):
        read_master_keys(Settings(master_key_command=f"echo x; touch {tmp_path}/made"))
    assert list(tmp_path.iterdir()) == []
