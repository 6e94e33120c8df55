"""Rules between the entries of a manifest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import Problem
from explainer.records import DecisionSpec
from explainer.registry.manifest_rules import check_manifest, file_fault
from tests.registry.folders import manifest


@pytest.mark.parametrize("file", ["model.json", "a", "My model v1.0_x-y.ubj", "0"])
def test_plain_names_pass(file: str) -> None:
    """Ordinary file names are accepted."""
    assert file_fault(file) is None


@given(st.text(st.sampled_from("ab./\\\x00~ -_%\n"), min_size=1, max_size=8))
def test_names_stay_in_the_folder(file: str) -> None:
    """An accepted name is one path component of the folder itself, whatever it is made of."""
    if file_fault(file) is None:
        assert not set("/\\\x00\n") & set(file)
        assert not file.startswith(".")
        assert ".." not in file


def test_a_good_manifest_has_no_problem() -> None:
    """The manifest that the tests start from breaks no rule."""
    problems: list[Problem] = []
    check_manifest(manifest(), False, problems)
    assert problems == []


def test_a_regressions_threshold_is_free() -> None:
    """The threshold of a regression is in units of its output, not a probability."""
    problems: list[Problem] = []
    changes = {"task": "regression", "classes": (), "positive_class": None, "output": "raw"}
    check_manifest(manifest(decision=DecisionSpec(120.0, "low", "high"), **changes), False, problems)
    assert problems == []
