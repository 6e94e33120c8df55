"""Verifies a ledger's file where it lies, as it lies: read only, without the service and without its settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from explainer.errors import InvalidOption, StorageFailed
from explainer.ledger.chain import Verdict
from explainer.ledger.examining import Against, examine
from explainer.ledger.notes import PublicKey
from explainer.ledger.signing import PUBLIC


def verify_copy(path: Path, against: Against) -> Verdict:
    """Look through the copy at `path` and write nothing. Raises StorageFailed when it cannot be read."""
    if not path.is_file():
        raise StorageFailed(f"There is no file {path}.")
    # With its log beside it the file may be in use; without, nobody writes to it, and a read-only disk will do.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    with (
        _translated(path),
        closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True)) as connection,
    ):
        connection.execute("PRAGMA query_only=ON")

        @contextmanager
        def lend() -> Iterator[sqlite3.Connection]:
            with _translated(path):
                yield connection

        return examine(lend, against)


def key_beside(path: Path) -> PublicKey | None:
    """The checkpoint key in the folder of a copy, None where there is none. Raises InvalidOption, StorageFailed."""
    return read_key(path.parent / PUBLIC) if (path.parent / PUBLIC).exists() else None


def read_key(path: Path) -> PublicKey:
    """The checkpoint key in a file. Raises InvalidOption, StorageFailed."""
    try:
        return PublicKey.read(path.read_text())
    except OSError as error:
        raise StorageFailed(f"{path} could not be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise InvalidOption(f"key: {path} is not text.") from None


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise StorageFailed(f"{path} could not be read: {error}.") from error
