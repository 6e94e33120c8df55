"""A version that waits is not served until somebody lets it in; who and why stays beside it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from explainer.errors import Conflict, InvalidOption
from explainer.records import ModelVersion, Notice
from explainer.registry.approval import blocking, pending
from explainer.registry.store import Registry
from explainer.settings import Settings
from tests.registry.folders import REPORT, write_folder

SCAFFOLD = Notice("scaffold", "It is another model on perturbed rows.")
REASON = {"scaffold": "The surrogate is weak on this text model."}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Settings(registry=tmp_path / "registry"))


def admitted(registry: Registry, tmp_path: Path, version: str = "1.0", *findings: Notice) -> ModelVersion:
    candidate = registry.check(write_folder(tmp_path / version, version=version))
    return registry.admit(candidate, REPORT, findings, "anna")


def test_a_version_without_findings_is_served_at_once(registry: Registry, tmp_path: Path) -> None:
    """Nothing waits by itself: findings that do not block are told and no more."""
    version = admitted(registry, tmp_path, "1.0", Notice("by-heart", "It knows training rows."))
    assert not pending(version)
    assert registry.serve("credit").digest == version.digest
    with pytest.raises(Conflict, match="does not wait"):
        registry.approve("credit", "1.0", "ben", {})


def test_a_finding_keeps_a_version_out_until_it_is_accepted(registry: Registry, tmp_path: Path) -> None:
    """It is listed and can be looked at, is not served and says why; a reason lets it in, and is kept."""
    admitted(registry, tmp_path, "1.0", SCAFFOLD)
    assert pending(registry.get("credit", "1.0"))
    assert registry.names() == ()
    for version in (None, "1.0"):
        with pytest.raises(Conflict, match="waits for approval, because of a finding: scaffold"):
            registry.serve("credit", version)
    approved = registry.approve("credit", "1.0", "ben", REASON)
    assert not pending(approved)
    assert blocking(approved) == (SCAFFOLD,)
    assert registry.serve("credit").notices[-1].detail.endswith(f"by ben. scaffold was accepted: {REASON['scaffold']}")
    assert registry.registered_by(approved) == "anna"


def test_the_version_before_stays_in_service(registry: Registry, tmp_path: Path) -> None:
    """A newer version that waits takes nothing away from the one that is served."""
    admitted(registry, tmp_path, "1.0")
    admitted(registry, tmp_path, "2.0", SCAFFOLD)
    assert registry.serve("credit").manifest.version == "1.0"
    registry.approve("credit", "2.0", "ben", REASON)
    assert registry.serve("credit").manifest.version == "2.0"


@pytest.mark.parametrize(
    ("accepted", "where"),
    [
        ({}, "accept.scaffold"),
        ({"scaffold": "  fine   "}, "accept.scaffold"),
        ({"scaffold": "x" * 501}, "accept.scaffold"),
        ({**REASON, "shifted": "This is not what was found."}, "accept.shifted"),
    ],
)
def test_reasons_fit_the_findings(registry: Registry, tmp_path: Path, accepted: dict[str, str], where: str) -> None:
    """A reason that is missing, too short, too long or for something else is refused, and the version waits on."""
    admitted(registry, tmp_path, "1.0", SCAFFOLD)
    with pytest.raises(InvalidOption) as caught:
        registry.approve("credit", "1.0", "ben", accepted)
    assert [p.where for p in caught.value.problems] == [where]
    assert pending(registry.get("credit", "1.0"))


def test_every_version_waits_where_the_settings_say_so(tmp_path: Path) -> None:
    """EXPLAINER_REQUIRE_APPROVAL at registration decides; taking it away later lets nobody in."""
    strict = Registry(Settings(registry=tmp_path / "registry", require_approval=True))
    admitted(strict, tmp_path)
    relaxed = Registry(Settings(registry=tmp_path / "registry"))
    with pytest.raises(Conflict, match="waits"):
        relaxed.serve("credit")
    strict.approve("credit", "1.0", "ben", {})
    assert relaxed.serve("credit").manifest.version == "1.0"


def test_a_mark_of_another_version_lets_nobody_in(registry: Registry, tmp_path: Path) -> None:
    """An approval names the digest that was approved: copied to another version it counts for nothing."""
    admitted(registry, tmp_path, "1.0", SCAFFOLD)
    admitted(registry, tmp_path, "2.0", SCAFFOLD)
    registry.approve("credit", "1.0", "ben", REASON)
    marks = tmp_path / "registry/credit/.approved"
    (marks / "2.0").write_bytes((marks / "1.0").read_bytes())
    assert pending(Registry(Settings(registry=tmp_path / "registry")).get("credit", "2.0"))


@pytest.mark.parametrize("data", [b"", b"[]", b'{"digest": "x"}', orjson.dumps({"digest": 1, "more": 2})])
def test_an_unreadable_mark_fails_closed(registry: Registry, tmp_path: Path, data: bytes) -> None:
    """A mark that we did not write takes the version out of service and is reported."""
    admitted(registry, tmp_path, "1.0", SCAFFOLD)
    registry.approve("credit", "1.0", "ben", REASON)
    mark = tmp_path / "registry/credit/.approved/1.0"
    mark.chmod(0o644)
    mark.write_bytes(data)
    fresh = Registry(Settings(registry=tmp_path / "registry"))
    assert fresh.names() == ()
    assert "not approved" in fresh.faults()[0].detail


def test_a_retired_version_is_not_approved(registry: Registry, tmp_path: Path) -> None:
    """What was taken out of service while it waited stays out."""
    admitted(registry, tmp_path, "1.0", SCAFFOLD)
    registry.retire("credit", "1.0")
    with pytest.raises(Conflict, match="retired"):
        registry.approve("credit", "1.0", "ben", REASON)


def test_the_folder_never_changes(registry: Registry, tmp_path: Path) -> None:
    """An approval is a mark beside the version: no byte of its own folder is another one afterwards."""
    version = admitted(registry, tmp_path, "1.0", SCAFFOLD)
    before = {path.name: path.read_bytes() for path in version.folder.iterdir()}
    registry.approve("credit", "1.0", "ben", REASON)
    assert {path.name: path.read_bytes() for path in version.folder.iterdir()} == before
