"""What every model format promises, whichever are found in the folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explainer.formats import formats
from explainer.formats.ports import Format
from tests.formats import orders

FOUND = formats()
HEAVY = (
    "sklearn",
    "pandas",
    "scipy",
    "numba",
    "joblib",
    "skops",
    "xgboost",
    "lightgbm",
    "catboost",
    "onnx",
    "onnxruntime",
)
LOCAL = [f for f in FOUND.values() if not f.remote]


def test_the_formats_that_manifests_may_name_are_found() -> None:
    """Scanning the folder finds every format under the name that manifests use."""
    named = {"sklearn-skops", "sklearn-joblib", "xgboost", "lightgbm", "catboost", "onnx", "kserve-v1", "oip-v2"}
    assert named <= set(FOUND)


def test_finding_formats_imports_no_model_library() -> None:
    """The web process may list formats: doing so loads none of the heavy libraries."""
    code = f"import sys, explainer.formats as f; f.formats(); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("one", FOUND.values(), ids=list(FOUND))
def test_a_format_says_what_it_is(one: Format) -> None:
    """A format has a name, one sentence for people, and says whether it needs a signature or a server."""
    assert one.name
    assert one.summary.endswith(".")
    assert isinstance(one.needs_signature, bool)
    assert isinstance(one.remote, bool)


def test_only_the_format_that_runs_code_needs_a_signature() -> None:
    """Files of all other formats hold data, so they open without a signature."""
    assert [f.name for f in FOUND.values() if f.needs_signature] == ["sklearn-joblib"]


@pytest.mark.parametrize("one", LOCAL, ids=[f.name for f in LOCAL])
def test_a_missing_or_empty_file_is_a_problem_and_not_an_exception(one: Format, tmp_path: Path) -> None:
    """Inspecting a file that is not there, or empty, says so in words."""
    declared = orders.manifest(one.name)
    empty = tmp_path / "empty"
    empty.touch()
    assert [p.rule for p in one.inspect(tmp_path / "none", declared)] == ["missing"]
    assert [p.rule for p in one.inspect(empty, declared)] == ["missing"]


@pytest.mark.parametrize("one", [f for f in LOCAL if not f.needs_signature], ids=lambda f: f.name)
@pytest.mark.parametrize("data", [b"\x00" * 64, b"{}", b"[1]", b"tree\n", b"PK\x03\x04", b"CBM1", b"\x80\x04K\x01."])
def test_bytes_of_something_else_are_a_problem_and_not_an_exception(one: Format, data: bytes, tmp_path: Path) -> None:
    """A file that is no model of the format, a pickle among them, is found out before any library opens it."""
    path = tmp_path / "model"
    path.write_bytes(data)
    problems = one.inspect(path, orders.manifest(one.name))
    assert problems
    assert all(p.where and p.rule and p.detail for p in problems)


@pytest.mark.parametrize("one", [f for f in FOUND.values() if f.remote], ids=lambda f: f.name)
def test_a_remote_format_needs_an_address(one: Format, tmp_path: Path) -> None:
    """A remote format inspects `[remote]` and never a file."""
    assert [p.where for p in one.inspect(tmp_path / "none", orders.manifest(one.name))] == ["remote"]
