"""Facts about skops archives whose bytes depend on the model alone."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import skops.io

from explainer.demo.archive import settle

SHARED = np.arange(6.0)


def dumped(at: int) -> bytes:
    """An archive as skops writes it, with the addresses and the date of another run."""
    given = skops.io.dumps({"one": SHARED, "same": SHARED, "other": np.array(["a", "b"], dtype=object), "n": 3})
    moved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(moved, "w") as new:
        names = {name: f"{int(Path(name).stem) + at}.npy" for name in old.namelist() if name.endswith(".npy")}
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                data = json.dumps(_moved(json.loads(data), at)).encode()
            new.writestr(zipfile.ZipInfo(names.get(name, name), (2000 + at, 1, 1, 0, 0, 0)), data)
    return moved.getvalue()


def _moved(node: object, at: int) -> object:
    if isinstance(node, list):
        return [_moved(entry, at) for entry in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _moved(entry, at) for key, entry in node.items()}
    if "__id__" in moved:
        moved["__id__"] += at
    if isinstance(moved.get("file"), str):
        moved["file"] = f"{int(Path(moved['file']).stem) + at}.npy"
    return moved


def test_addresses_and_dates_leave_no_trace(tmp_path: Path) -> None:
    """The same object dumped at other addresses and on another day gives the same bytes."""
    settle(dumped(0), tmp_path / "a")
    settle(dumped(7), tmp_path / "b")
    assert dumped(0) != dumped(7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_settled_archive_holds_the_same_object(tmp_path: Path) -> None:
    """What skops loads from a settled archive equals what was dumped, and shared parts stay shared."""
    settle(dumped(0), tmp_path / "a")
    loaded = skops.io.load(tmp_path / "a")
    assert loaded["n"] == 3
    assert loaded["other"].tolist() == ["a", "b"]
    np.testing.assert_array_equal(loaded["one"], SHARED)
    assert loaded["one"] is loaded["same"]
