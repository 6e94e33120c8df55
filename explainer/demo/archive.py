"""Writes a skops archive whose bytes depend on the model alone, not on memory addresses or the clock."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

SCHEMA = "schema.json"
DAWN = (1980, 1, 1, 0, 0, 0)  # the earliest date that the format can hold


def settle(archive: bytes, path: Path) -> None:
    """Rewrite `archive` to `path` with objects numbered in the order of the schema and no dates.

    skops names every object and its array file after `id(object)`, and zip members carry the time of writing; both
    change from run to run.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as given:
        schema = json.loads(given.read(SCHEMA))
        renamed: dict[str, str] = {}
        _renumber(schema, {}, renamed)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as settled:
            for old, new in renamed.items():
                _write(settled, new, given.read(old))
            _write(settled, SCHEMA, json.dumps(schema, separators=(",", ":")).encode())


def _renumber(node: Any, numbers: dict[int, int], renamed: dict[str, str]) -> None:
    if isinstance(node, list):
        for entry in node:
            _renumber(entry, numbers, renamed)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("__id__"), int):
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
    if isinstance(node.get("file"), str) and "__loader__" in node:
        old = node["file"]
        node["file"] = renamed.setdefault(old, f"{len(renamed) + 1}{Path(old).suffix}")
    for entry in node.values():
        _renumber(entry, numbers, renamed)


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=DAWN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data)
