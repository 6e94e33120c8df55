"""Where the master keys come from: a variable, a file or a command's output, exactly one of them."""

from __future__ import annotations

import base64
import binascii
import shlex
import stat
import subprocess
from pathlib import Path

from explainer.sealing import KEY_BYTES, MasterKeys
from explainer.settings import Settings, SettingsError

NAMES = ("EXPLAINER_MASTER_KEY", "EXPLAINER_MASTER_KEY_FILE", "EXPLAINER_MASTER_KEY_COMMAND")
PATIENCE_S = 30.0  # for the command


def read_master_keys(settings: Settings) -> MasterKeys | None:
    """Return the keys, None where no setting names any. Raises SettingsError; no message shows what was read."""
    given = (settings.master_key, settings.master_key_file, settings.master_key_command)
    named = [name for name, value in zip(NAMES, given, strict=True) if value is not None]
    if len(named) > 1:
        raise SettingsError(f"{' and '.join(named)} are both set: give exactly one of them.")
    if settings.master_key is not None:
        return _keys(NAMES[0], settings.master_key)
    if settings.master_key_file is not None:
        return _keys(NAMES[1], _read(settings.master_key_file))
    if settings.master_key_command is not None:
        return _keys(NAMES[2], _run(settings.master_key_command))
    return None


def _keys(name: str, text: str) -> MasterKeys:
    lines = (line.partition("#")[0] for line in text.splitlines())
    keys = [_key(name, i, word) for i, word in enumerate(" ".join(lines).split(), start=1)]
    if not keys:
        raise SettingsError(f"{name} gives no key: it needs base64 of {KEY_BYTES} bytes.")
    return MasterKeys(keys)


def _key(name: str, number: int, word: str) -> bytes:
    try:
        key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"Key {number} of {name} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"Key {number} of {name} has {len(key)} bytes; it needs {KEY_BYTES} random bytes.")
    return key


def _read(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o007:
            raise SettingsError(f"{path} ({NAMES[1]}) can be reached by every user: chmod o= {path}.")
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{path} ({NAMES[1]}) cannot be read: {reason}.") from None


def _run(command: str) -> str:
    """What the command prints is a secret, and what it complains of may be: neither is repeated."""
    try:
        done = subprocess.run(  # noqa: S603 - whoever sets the variables starts this program as well
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False
        )
        if done.returncode != 0:
            raise SettingsError(f"The command of {NAMES[2]} ended with status {done.returncode}; run it by hand.")
        return done.stdout.decode()
    except subprocess.TimeoutExpired:
        raise SettingsError(f"The command of {NAMES[2]} printed no key within {PATIENCE_S:.0f} s.") from None
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no command line, or it printed no text"
        raise SettingsError(f"The command of {NAMES[2]} could not be run: {reason}.") from None
