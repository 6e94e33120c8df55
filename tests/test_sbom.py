"""The bill of materials says what the lock file says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FORM = re.compile(r"pkg:pypi/[a-z0-9-]+@[^\s]+")


def made(lock: str, repository: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(repository / ".ci/sbom.py")]
    return subprocess.run(program, input=lock, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def lock() -> str:
    return Path("requirements.lock").read_text()


@pytest.fixture
def bill(lock: str, repository: Path) -> dict[str, Any]:
    return json.loads(made(lock, repository).stdout)


def test_every_locked_package_is_in_it_with_its_digests(bill: dict[str, Any], lock: str) -> None:
    """As many components and digests as the lock file has, each with an address of its own."""
    pinned = re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE)
    assert sorted((c["name"], c["version"]) for c in bill["components"]) == sorted(pinned)
    assert sum(len(c["hashes"]) for c in bill["components"]) == lock.count("--hash=sha256:")
    assert all(c["hashes"] for c in bill["components"])
    assert all(FORM.fullmatch(c["purl"]) for c in bill["components"])
    assert len({c["bom-ref"] for c in bill["components"]}) == len(bill["components"])


def test_who_needs_whom(bill: dict[str, Any]) -> None:
    """Every component is needed by somebody, and needs only what is there."""
    references = {c["bom-ref"] for c in bill["components"]}
    needs = {d["ref"]: set(d["dependsOn"]) for d in bill["dependencies"]}
    assert set().union(*needs.values()) == references
    assert set(needs) == references | {bill["metadata"]["component"]["bom-ref"]}
    flask = next(ref for ref in references if ref.startswith("pkg:pypi/flask@"))
    assert flask in needs[bill["metadata"]["component"]["bom-ref"]]
    assert any(ref.startswith("pkg:pypi/werkzeug@") for ref in needs[flask])


def test_the_same_lock_gives_the_same_bytes(lock: str, repository: Path) -> None:
    """Nothing in it comes from the clock or from chance."""
    assert made(lock, repository).stdout == made(lock, repository).stdout


def test_a_line_that_is_not_understood_is_not_passed_over(repository: Path) -> None:
    """A package from elsewhere than an index would be missing: that is said."""
    done = made("thing @ https://example.org/thing.whl\n", repository)
    assert done.returncode != 0
    assert "not understood" in done.stderr
