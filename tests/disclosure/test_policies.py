"""Policies by role and model are kept, shared between processes, and hold at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from explainer.disclosure.levels import FULL, POLICIES, Policy
from explainer.disclosure.policies import TIGHT, Policies
from explainer.durable import DurableFile
from explainer.errors import InvalidOption, NotFound, NotPermitted

REASONS = Policy(values=True, most=2, detail="reasons")


def opened(folder: Path) -> Policies:
    return Policies(DurableFile(folder / "controls.db", ""))


def test_the_nearest_policy_holds(tmp_path: Path) -> None:
    """A model's own before that for every model, that before what the role comes with; after a restart too."""
    policies = opened(tmp_path)
    assert policies.of("application", "credit") == POLICIES["application"]
    policies.set("application", "*", FULL, "tests")
    policies.set("application", "credit", REASONS, "tests")
    again = opened(tmp_path)
    assert (again.of("application", "credit"), again.of("application", "other")) == (REASONS, FULL)
    policies.unset("application", "credit")
    assert again.of("application", "credit") == FULL
    with pytest.raises(NotFound):
        policies.unset("application", "credit")


def _set(folder: Path) -> None:
    opened(folder).set("analyst", "credit", REASONS, "another process")


def test_another_process_is_heard_at_once(tmp_path: Path) -> None:
    """What one process writes is what every other one goes by in the next moment."""
    policies = opened(tmp_path)
    assert policies.of("analyst", "credit") == FULL
    process = multiprocessing.get_context("spawn").Process(target=_set, args=(tmp_path,))
    process.start()
    process.join(60)
    assert policies.of("analyst", "credit") == REASONS


def _asked(policies: Policies, folder: Path) -> None:
    policies.set("analyst", "forked", REASONS, "child")
    (folder / "child").write_text(policies.of("analyst", "forked").detail)


def test_a_forked_process_reads_by_itself(tmp_path: Path) -> None:
    """A web process forked from one that had read the file reads and is read."""
    policies = opened(tmp_path)
    policies.of("analyst", "forked")
    process = multiprocessing.get_context("fork").Process(target=_asked, args=(policies, tmp_path))
    process.start()
    process.join(60)
    assert (tmp_path / "child").read_text() == "reasons"
    assert policies.of("analyst", "forked") == REASONS


def test_a_principal_is_tightened_refused_and_released(tmp_path: Path) -> None:
    """One principal and one model, nobody else; the refusal says what to do."""
    policies = opened(tmp_path)
    policies.hold("key_a", "credit", "tightened", "why")
    assert policies.of("analyst", "credit", "key_a") == TIGHT
    policies.hold("key_a", "credit", "refused", "its queries look like theft")
    with pytest.raises(NotPermitted, match="explainer policies release key_a credit"):
        policies.of("analyst", "credit", "key_a")
    assert policies.of("analyst", "credit", "key_b") == policies.of("analyst", "other", "key_a") == FULL
    policies.release("key_a", "credit")
    assert policies.of("analyst", "credit", "key_a") == FULL
    with pytest.raises(NotFound):
        policies.release("key_a", "credit")


@pytest.mark.parametrize(
    ("role", "model", "policy"),
    [
        ("king", "*", FULL),
        ("local", "*", FULL),
        ("analyst", "A b", FULL),
        ("analyst", "*", Policy(True, most=0)),
        ("analyst", "*", Policy(True, detail="some")),  # type: ignore[arg-type]
        ("analyst", "*", Policy(True, detail="full", prediction="rounded")),
        ("analyst", "*", Policy(True, detail="rounded", prediction="none")),
    ],
)
def test_what_cannot_be_a_policy_is_refused(tmp_path: Path, role: str, model: str, policy: Policy) -> None:
    """A level that gives away by another field what it holds back is none."""
    with pytest.raises(InvalidOption):
        opened(tmp_path).set(role, model, policy, "tests")


def test_every_role_is_listed(tmp_path: Path) -> None:
    """What was chosen and what the program comes with, each once."""
    policies = opened(tmp_path)
    policies.set("application", "credit", FULL, "tests")
    listed = [(c.role, c.model) for c in policies.all()]
    assert len(set(listed)) == len(listed)
    assert {("application", "*"), ("application", "credit"), ("owner", "*")} <= set(listed)
