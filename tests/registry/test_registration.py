"""The registry's own record of a version."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from explainer.errors import ModelRefused
from explainer.records import Notice
from explainer.registry.candidate import check_folder
from explainer.registry.registration import (
    FILE,
    Registration,
    dump_registration,
    read_registration,
    read_version,
)
from tests.registry.folders import REPORT, manifest, write_folder


def registered(tmp_path: Path) -> tuple[Path, Registration]:
    folder = write_folder(tmp_path / "credit" / "1.0")
    candidate = check_folder(folder, None)
    notices = (Notice("a", "b"),)
    record = Registration(
        candidate.digest, dict(candidate.files), 3, "2026-01-02T03:04:05+00:00", REPORT, notices, "anna"
    )
    (folder / FILE).write_bytes(dump_registration(record))
    return folder, record


def test_round_trip(tmp_path: Path) -> None:
    """What is written reads back equal, and becomes the version's record."""
    folder, record = registered(tmp_path)
    assert read_registration(folder) == record
    version, _ = read_version(folder)
    assert (version.manifest, version.digest, version.folder) == (manifest(), record.digest, folder)
    assert (version.notices, version.signed_by, version.retired_at) == (record.notices, "anna", None)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"digest": 1}', b'{"report": 1, "notices": []}'])
def test_damaged_record(tmp_path: Path, data: bytes) -> None:
    """A record that we did not write is refused with the version's name and what to do."""
    folder, _ = registered(tmp_path)
    (folder / FILE).write_bytes(data)
    with pytest.raises(ModelRefused, match=r"credit version 1\.0: registration\.json was changed") as caught:
        read_version(folder)
    assert "Restore it or register a new version." in caught.value.detail


def test_unknown_field(tmp_path: Path) -> None:
    """A record with a field more, as a newer program might write, is refused rather than half understood."""
    folder, _ = registered(tmp_path)
    fields = orjson.loads((folder / FILE).read_bytes())
    (folder / FILE).write_bytes(orjson.dumps({**fields, "more": 1}))
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_version(folder)
    for wrong in ({"sequence": "3"}, {"files": 1}, {"digest": 1}):
        (folder / FILE).write_bytes(orjson.dumps({**fields, **wrong}))
        with pytest.raises(ModelRefused, match="was changed after registration"):
            read_version(folder)


def test_changed_manifest(tmp_path: Path) -> None:
    """A manifest that differs in content from the registered one is refused; an absent one too."""
    folder, _ = registered(tmp_path)
    text = (folder / "manifest.toml").read_text()
    (folder / "manifest.toml").write_text(text.replace("threshold = 0.5", "threshold = 0.1"))
    with pytest.raises(ModelRefused, match="differs from what was registered"):
        read_version(folder)
    (folder / "manifest.toml").unlink()
    with pytest.raises(ModelRefused, match=r"manifest\.toml was changed"):
        read_version(folder)


def test_moved_folder(tmp_path: Path) -> None:
    """A version does not answer under another name because somebody renamed its folder."""
    folder, _ = registered(tmp_path)
    moved = folder.rename(folder.with_name("2.0"))
    with pytest.raises(ModelRefused, match="manifest of another model or version"):
        read_version(moved)
