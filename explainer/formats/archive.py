"""Structure and size of a skops archive, judged without building anything that it describes."""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from explainer.errors import Problem
from explainer.formats.skops_types import LOADERS
from explainer.formats.unfit import UnfitError

MAX_ENTRIES = 200_000
MAX_UNPACKED = 1 << 30  # bytes of all entries together
MAX_SCHEMA = 128 << 20
MAX_RATIO = 100  # unpacked to packed bytes of an entry beyond 1 MB; arrays of leaves pack about 10 to 1
MAX_DEPTH = 400
MAX_NODES = 5_000_000  # nodes once shared ones are counted at every place where they are used


def inspect_archive(path: Path, most: int = MAX_UNPACKED) -> list[Problem]:
    """What is wrong with the zip archive, its schema or an array's header; stops at the first finding.

    `most` is how many bytes all entries together may have once unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _entries(archive.infolist(), most)
            _schema(archive.read("schema.json"))
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    with archive.open(entry) as stream:
                        _array(stream, entry)
    except UnfitError as unfit:
        return [unfit.problem]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        return [Problem("model.file", "archive", f"It cannot be read as a zip archive: {error}.")]
    except (KeyError, ValueError, zlib.error) as error:
        return [Problem("model.file", "archive", f"It is not a skops archive: {error}.")]
    return []


def _entries(entries: list[zipfile.ZipInfo], most: int) -> None:
    names = [e.filename for e in entries]
    if "schema.json" not in names:
        raise UnfitError("archive", "It holds no schema.json, which every skops file has.")
    if len(names) > MAX_ENTRIES or len(set(names)) != len(names):
        raise UnfitError("archive", f"It holds {len(names)} entries, some of one name or more than {MAX_ENTRIES}.")
    for entry in entries:
        _entry(entry)
    total = sum(e.file_size for e in entries)
    if total > most:
        raise UnfitError("size", f"Unpacked it would take {total} bytes; at most {most} are opened.")


def _entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if "/" in name or "\\" in name or not name.endswith((".npy", ".npz", ".json", ".bin")):
        raise UnfitError("archive", f"Entry '{name}' is nothing that skops writes.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
        raise UnfitError("archive", f"Entry '{name}' is encrypted or packed by another method than deflate.")
    if entry.file_size > 1 << 20 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        raise UnfitError("size", f"Entry '{name}' unpacks to more than {MAX_RATIO} times its size, as a zip bomb does.")
    if name == "schema.json" and entry.file_size > MAX_SCHEMA:
        raise UnfitError("size", f"Its schema.json has {entry.file_size} bytes; at most {MAX_SCHEMA} are read.")


def _schema(data: bytes) -> None:
    try:
        schema = json.loads(data)
    except RecursionError:
        raise UnfitError("schema", "Its schema.json is nested too deeply.") from None
    if not isinstance(schema, dict) or not isinstance(schema.get("protocol"), int):
        raise UnfitError("schema", "Its schema.json is not an object with a protocol number.")
    if schema["protocol"] < 1:
        raise UnfitError("schema", "It was written by skops 0.9 or older; write it again with a present version.")
    nodes = _Count().of(schema, 0)
    if nodes > MAX_NODES:
        raise UnfitError("schema", f"Its schema describes {nodes} nodes; at most {MAX_NODES} are built.")


class _Count:
    """Nodes below a node, a shared one counted wherever it is used, as skops walks them."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def of(self, value: object, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise UnfitError("schema", f"Its schema.json is nested deeper than {MAX_DEPTH}.")
        if isinstance(value, list):
            return sum(self.of(v, depth + 1) for v in value)
        if not isinstance(value, dict):
            return 0
        return self._node(value, depth)

    def _node(self, value: dict[str, Any], depth: int) -> int:
        loader, own = value.get("__loader__"), value.get("__id__")
        if loader is not None and loader not in LOADERS:
            raise UnfitError("schema", f"Its schema uses the node '{loader}', which is not accepted.")
        if isinstance(own, (int, str)) and own in self.known:
            return self.known[own]
        if isinstance(own, (int, str)):
            self.known[own] = 1
        count = 1 + sum(self.of(v, depth + 1) for v in value.values())
        if isinstance(own, (int, str)):
            self.known[own] = count
        return count


def _array(stream: BinaryIO | Any, entry: zipfile.ZipInfo) -> None:
    """A header that promises exactly the bytes that follow, and no Python objects."""
    head = io.BytesIO(stream.read(min(entry.file_size, 1 << 16)))
    try:
        if np.lib.format.read_magic(head) != (1, 0):
            raise UnfitError("array", f"Array '{entry.filename}' is in a form that skops does not write.")
        shape, _, dtype = np.lib.format.read_array_header_1_0(head)
    except (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError):
        raise UnfitError("array", f"Array '{entry.filename}' has a header that cannot be read.") from None
    count = 1
    for extent in shape:
        count *= int(extent)
    if dtype.hasobject:
        raise UnfitError("array", f"Array '{entry.filename}' holds Python objects.")
    if any(extent < 0 for extent in shape) or count * dtype.itemsize != entry.file_size - head.tell():
        raise UnfitError("array", f"Array '{entry.filename}' has another size than its header says.")
