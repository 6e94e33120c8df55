"""A finished folder proves itself, and every change to it is found."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from explainer.errors import InvalidOption, NotFound, StorageFailed
from explainer.exports.signing import KEY, check, signer
from explainer.exports.verify import verify
from tests.exports.jobs import Bench, bench


@pytest.fixture
def finished(tmp_path: Path, rows_file: Path) -> Bench:
    found = bench(tmp_path / "finished", rows_file)
    found.compute()
    return found


def test_untouched(finished: Bench) -> None:
    """All files are as they were written; the key that signed is named, and its public half proves whose it is."""
    verdict = verify(finished.folder.path, finished.path / "export-signing.pub")
    assert (verdict.ok, verdict.files, verdict.rows) == (True, 4, 2997)
    assert verdict.key == signer(finished.path).key_id


@pytest.mark.parametrize("name", ["explanations.jsonl", "rejects.csv", "summary.json", "report.html"])
def test_a_changed_file(finished: Bench, name: str) -> None:
    """One byte more, one changed, or the file gone: named."""
    path = finished.folder.path / name
    data = path.read_bytes()
    for changed in (data + b" ", data[:-2] + b"#\n", None):
        path.unlink()
        if changed is not None:
            path.write_bytes(changed)
        (problem,) = verify(finished.folder.path).problems
        assert problem.startswith(name)
        path.write_bytes(data)
    assert verify(finished.folder.path).ok


def test_a_changed_manifest(finished: Bench) -> None:
    """A manifest that was changed, or signed by another key, does not pass."""
    path = finished.folder.path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["counts"]["explained"] = 5
    path.write_text(json.dumps(manifest))
    assert "changed after it was signed" in verify(finished.folder.path).problems[0]
    (finished.path / "other").mkdir()
    forger = signer(finished.path / "other")
    manifest["public_key"] = forger.public
    path.write_text(json.dumps(manifest))
    (finished.folder.path / "manifest.sig").write_text(forger.sign(path.read_bytes()))
    assert verify(finished.folder.path).ok  # whole in itself, by a key that --key does not name:
    assert "not of" in verify(finished.folder.path, finished.path / "export-signing.pub").problems[0]


def test_damage_is_said(finished: Bench, tmp_path: Path) -> None:
    """No signature, no JSON, no folder, no key: each in words."""
    (finished.folder.path / "manifest.sig").unlink()
    assert verify(finished.folder.path).problems == ("there is no manifest.sig",)
    (finished.folder.path / "manifest.json").write_text("{")
    assert "damaged" in verify(finished.folder.path).problems[0]
    with pytest.raises(NotFound, match="finished export"):
        verify(tmp_path)
    with pytest.raises(InvalidOption, match="not a public key"):
        verify(finished.folder.path, finished.folder.path / "rejects.csv")


def test_a_manifest_cannot_name_files_elsewhere(finished: Bench) -> None:
    """A path that leads out of the folder is not followed."""
    path = finished.folder.path / "manifest.json"
    path.write_text(path.read_text().replace("rejects.csv", "../exports.db"))
    assert any("../exports.db is not there" in p for p in verify(finished.folder.path).problems)


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """The first use makes the key (mode 600); later uses find it; a file that is no key is refused."""
    first, again = signer(tmp_path), signer(tmp_path)
    assert first.public == again.public
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["export-signing.key", "export-signing.pub"]
    assert check(b"data", first.sign(b"data"), first.public) is None
    assert check(b"other", first.sign(b"data"), first.public) is not None
    assert check(b"data", "nonsense", first.public) is not None
    (tmp_path / KEY).write_text("no key")
    with pytest.raises(StorageFailed, match="cannot be used"):
        signer(tmp_path)
