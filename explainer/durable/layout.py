"""Which tables a file has, and how one of an earlier layout is brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from explainer.errors import StorageFailed


def lay_out(connection: sqlite3.Connection, path: Path, schema: str, version: int, steps: Mapping[int, str]) -> None:
    """Make the tables of a new file, or take the `steps` from its layout to `version`, whole or not at all.

    Raises StorageFailed for a layout from which no step leads on.
    """
    if _found(connection) == version:
        return
    connection.execute("BEGIN IMMEDIATE")
    found = _found(connection)  # another process may have been quicker
    scripts = [schema] if found == 0 else [steps.get(n) for n in range(found, version)]
    if found > version or None in scripts:
        connection.execute("ROLLBACK")
        raise StorageFailed(
            f"{path} has layout {found}, this program works with layout {version}: "
            "run the program that wrote it, or restore a backup made for this one."
        )
    for script in scripts:
        for statement in statements(script or ""):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={version}")
    connection.execute("COMMIT")


def _found(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def statements(script: str) -> Iterator[str]:
    """One statement after the other; `executescript` would end the transaction first."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""
