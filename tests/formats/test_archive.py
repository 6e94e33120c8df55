"""A skops archive is judged by its structure before anything in it is built."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.formats import archive

SCHEMA = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "1", "protocol": 2}


def packed(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression=method) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def schema(**more: Any) -> bytes:
    return json.dumps({**SCHEMA, **more}).encode()


def array(values: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def rules(path: Path) -> list[str]:
    return [p.rule for p in archive.inspect_archive(path)]


def test_a_plain_archive_is_no_problem(tmp_path: Path) -> None:
    """A schema and arrays whose headers tell the truth pass."""
    entries = {"schema.json": schema(), "1.npy": array(np.arange(5.0)), "2.npy": array(np.zeros((0, 3)))}
    assert rules(packed(tmp_path / "a", entries)) == []


def test_a_zip_bomb_is_found_without_unpacking_it(tmp_path: Path) -> None:
    """An entry of 64 MB zeros packs to 64 kB; its ratio gives it away."""
    path = packed(tmp_path / "a", {"schema.json": schema(), "1.npy": bytes(64 << 20)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    (problem,) = archive.inspect_archive(path)
    assert "zip bomb" in problem.detail


def test_more_than_the_limit_in_all_is_found(tmp_path: Path) -> None:
    """Entries that are each acceptable are counted together."""
    entries = {"schema.json": schema(), "1.npy": array(np.zeros(60)), "2.npy": array(np.zeros(60))}
    path = packed(tmp_path / "a", entries)
    assert [p.rule for p in archive.inspect_archive(path, most=1000)] == ["size"]
    assert archive.inspect_archive(path, most=2000) == []


@pytest.mark.parametrize("name", ["../evil.npy", "a/b.npy", "model.pkl", "schema.json.exe"])
def test_entries_that_skops_does_not_write_are_found(tmp_path: Path, name: str) -> None:
    """Paths, pickles and programs have no place in the archive."""
    assert rules(packed(tmp_path / "a", {"schema.json": schema(), name: b"x"})) == ["archive"]


def test_an_archive_without_a_schema_is_found(tmp_path: Path) -> None:
    """schema.json is what makes it a skops file."""
    assert rules(packed(tmp_path / "a", {"1.npy": array(np.zeros(1))})) == ["archive"]


def test_an_array_that_promises_more_than_it_holds_is_found(tmp_path: Path) -> None:
    """A header with a huge shape would make numpy ask for all that memory."""
    data = array(np.zeros(1000)).replace(b"(1000,)", b"(10**9,)").replace(b"(10**9,)", b"(9999,)")
    assert rules(packed(tmp_path / "a", {"schema.json": schema(), "1.npy": data})) == ["array"]


def test_an_array_of_python_objects_is_found(tmp_path: Path) -> None:
    """Object arrays are pickles inside."""
    data = array(np.array([{}, None], dtype=object))
    assert rules(packed(tmp_path / "a", {"schema.json": schema(), "1.npy": data})) == ["array"]


@pytest.mark.parametrize("loader", ["MethodNode", "OperatorFuncNode", "EvilNode"])
def test_nodes_that_compose_calls_are_found(tmp_path: Path, loader: str) -> None:
    """Bound methods and operators are never needed by a model, so their nodes are not accepted."""
    data = schema(inner=[{"__loader__": loader, "__class__": "x", "__module__": "y"}])
    (problem,) = archive.inspect_archive(packed(tmp_path / "a", {"schema.json": data}))
    assert loader in problem.detail


def test_nodes_that_double_at_every_level_are_counted_and_not_walked(tmp_path: Path) -> None:
    """Sixty shared lists of two would be 2^60 nodes for skops; they are counted in linear time and refused."""
    node: dict[str, Any] = {"__loader__": "ListNode", "__id__": 0, "content": []}
    for level in range(1, 60):
        again = {"__loader__": "ListNode", "__id__": level - 1}
        node = {"__loader__": "ListNode", "__id__": level, "content": [node, again]}
    (problem,) = archive.inspect_archive(packed(tmp_path / "a", {"schema.json": schema(inner=node)}))
    assert "nodes; at most" in problem.detail


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_a_schema_nested_too_deeply_is_found(tmp_path: Path, depth: int) -> None:
    """Depth that would end in a recursion error, or worse in C, is refused in words."""
    data = schema()[:-1] + b', "inner": ' + b"[" * depth + b"]" * depth + b"}"
    (problem,) = archive.inspect_archive(packed(tmp_path / "a", {"schema.json": data}))
    assert "nested" in problem.detail


@pytest.mark.parametrize("data", [b"[]", b'{"protocol": "x"}', b'{"protocol": 0}', b"\xff", b"{"])
def test_a_schema_of_another_form_is_found(tmp_path: Path, data: bytes) -> None:
    """A list, a protocol that is no number or too old, and broken JSON are problems."""
    assert len(archive.inspect_archive(packed(tmp_path / "a", {"schema.json": data}))) == 1
