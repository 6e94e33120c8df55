"""Requests made from the OpenAPI document find no fault of the service and no answer that is not documented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.service import Attacked

pytest.importorskip("schemathesis", reason="schemathesis is missing; make test installs it")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    from benchmarks.fuzz.running import service

    with service(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


@pytest.mark.parametrize("role", ["demo", "administrator"])
def test_no_fault_and_no_undocumented_answer(at: Attacked, role: str) -> None:
    """Some hundred requests for each role; `python -m benchmarks fuzz` makes thousands."""
    from benchmarks.fuzz.running import fuzz

    found = fuzz(at, role, examples=2, seed=7)
    assert found.requests > 300, found.said
    assert found.good, found.said


def test_a_service_that_answers_otherwise_is_found_out(at: Attacked, tmp_path: Path) -> None:
    """The check itself: a key that opens nothing makes no run that counts as good."""
    from dataclasses import replace

    from benchmarks.fuzz.running import fuzz

    found = fuzz(replace(at, port=9), "demo", examples=1, seed=1)
    assert not found.good
    assert found.requests == 0
