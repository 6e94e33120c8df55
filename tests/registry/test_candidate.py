"""Checks of a model folder."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explainer.errors import ModelRefused
from explainer.records import BackgroundSpec, RemoteSpec
from explainer.registry.candidate import check_folder
from explainer.registry.digests import background_digest, bytes_digest
from explainer.registry.manifest import write_manifest
from explainer.registry.signature import generate, sign
from tests.registry.folders import BACKGROUND, FEATURES, FILES, GOLDEN, manifest, write_folder


def refused(folder: Path) -> dict[str, str]:
    with pytest.raises(ModelRefused) as caught:
        check_folder(folder, None)
    return {p.where: p.detail for p in caught.value.problems}


def test_good_folder(tmp_path: Path) -> None:
    """A good folder gives everything that a worker needs, coded, with digests."""
    candidate = check_folder(write_folder(tmp_path / "m"), None)
    order = candidate.order()
    assert order.manifest == manifest()
    assert order.model_path == tmp_path / "m" / "model.skops"
    np.testing.assert_array_equal(order.background, [[12.5, 24, 1, 1], [3, np.nan, 0, 0]])
    assert order.background_digest == background_digest(FEATURES, order.background)
    assert order.golden_rows.tolist() == [[12.5, 24, 1, 1]]
    assert order.golden_predictions.tolist() == [[0.25, 0.75]]
    assert (order.digest, order.signed_by) == (candidate.digest, None)
    assert set(candidate.files) == set(FILES)


def test_every_file_is_in_the_digest(tmp_path: Path) -> None:
    """A changed card or samples file makes another version, although the manifest holds no checksum of them."""
    first = check_folder(write_folder(tmp_path / "a"), None)
    card = check_folder(write_folder(tmp_path / "b", {"card.md": b"other"}), None)
    samples = check_folder(write_folder(tmp_path / "c", {"samples.csv": BACKGROUND.encode()}), None)
    same = check_folder(write_folder(tmp_path / "d", {"unnamed.txt": b"not named, not kept"}), None)
    assert len({first.digest, card.digest, samples.digest}) == 3
    assert same.digest == first.digest


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def append(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + data)


def link(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).rename(folder / "real")
        (folder / name).symlink_to(folder / "real")

    return change


def pipe(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return change


HARM = [
    (remove("model.skops"), "model.file", "There is no file model.skops beside the manifest"),
    (remove("background.csv"), "background.file", "There is no file"),
    (remove("golden.json"), "golden.file", "There is no file"),
    (remove("card.md"), "card.file", "There is no file"),
    (append("model.skops", b"!"), "model.sha256", "not the declared one"),
    (append("background.csv", b"1,1,car,1\n"), "background.sha256", "not the declared one"),
    (append("golden.json", b" "), "golden.sha256", "not the declared one"),
    (append("card.md", b"x" * 1_000_000), "card.file", "it needs 1 to 1000000"),
    (link("model.skops"), "model.file", "is not a plain file"),
    (link("card.md"), "card.file", "links, folders and devices are not followed"),
    (link("manifest.toml"), "manifest.toml", "holds no manifest.toml that is a plain file"),
    (pipe("model.skops"), "model.file", "is not a plain file"),
    (pipe("manifest.toml"), "manifest.toml", "that is a plain file"),
    (remove("manifest.toml"), "manifest.toml", "give the folder of a model"),
    (lambda folder: (folder / "card.md").write_bytes(b""), "card.file", "has 0 bytes"),
    (lambda folder: (folder / "samples.csv").mkdir(), "samples.csv", "is not a plain file"),
    (lambda folder: (folder / "samples.csv").write_text("a\n1\n"), "header.a", "is not a feature"),
    (lambda folder: (folder / "manifest.sig").write_text("?"), "manifest.sig", "is malformed"),
]


@pytest.mark.parametrize(("harm", "where", "words"), HARM)
def test_harmed_folders(tmp_path: Path, harm: Callable[[Path], object], where: str, words: str) -> None:
    """A file that is absent, changed, empty, too big, a link or a pipe is refused at its place, without waiting."""
    folder = write_folder(tmp_path / "m")
    harm(folder)
    found = refused(folder)
    assert words in found[where]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("amount,months,purpose,phone\n", "background.csv", "must hold 1 to 50000 rows"),
        ("amount,months,purpose\n1,1,car\n", "header.phone", "is missing"),
        ("amount,months,purpose,phone\nx,1,car,1\n", "background.csv line 2.amount", "is not a number"),
        ("amount,months,purpose,phone\n1,1,car,1\n", "background.rows", "declares 2 rows; background.csv has 1"),
        ("amount,months,purpose,phone\n1,1,boat,1\n1,1,car,1\n", "background.csv line 2.purpose", "send one of"),
    ],
)
def test_bad_backgrounds(tmp_path: Path, text: str, where: str, words: str) -> None:
    """A background that does not fit the schema or the manifest is told with its line."""
    assert words in refused(write_folder(tmp_path / "m", {"background.csv": text.encode()}))[where]


def test_everything_at_once(tmp_path: Path) -> None:
    """A faulty manifest does not hide faulty files, and one faulty file does not hide another."""
    folder = write_folder(tmp_path / "m", {"golden.json": json.dumps({**GOLDEN, "rows": [{}]}).encode()})
    (folder / "card.md").unlink()
    append("background.csv", b"?")(folder)
    assert {"card.file", "background.sha256", "golden.rows[0].amount"} <= set(refused(folder))
    text = (folder / "manifest.toml").read_text().replace('"credit"', '"Credit"')
    (folder / "manifest.toml").write_text(text)
    assert set(refused(folder)) == {"model.name", "card.file", "background.sha256"}


def test_paths_of_a_bad_manifest_are_not_opened(tmp_path: Path) -> None:
    """A file outside the folder is neither read nor hashed, whatever the manifest says."""
    (tmp_path / "secret").write_bytes(b"secret")
    spec = BackgroundSpec("../secret", 2, bytes_digest(b"secret"), "")
    found = refused(write_folder(tmp_path / "m", background=spec))
    assert list(found) == ["background.file"]
    assert "plain name" in found["background.file"]


def test_other_background_files(tmp_path: Path) -> None:
    """A background in JSONL gives the same coded rows as one in CSV."""
    lines = [
        {"amount": 12.5, "months": 24, "purpose": "house", "phone": True},
        {"amount": 3, "months": None, "purpose": "car", "phone": False},
    ]
    data = "\n".join(json.dumps(line) for line in lines).encode()
    spec = BackgroundSpec("b.jsonl", 2, bytes_digest(data), "")
    other = check_folder(write_folder(tmp_path / "m", {"b.jsonl": data}, background=spec), None)
    first = check_folder(write_folder(tmp_path / "n"), None)
    assert other.order().background_digest == first.order().background_digest


def test_joblib_needs_a_signature(tmp_path: Path) -> None:
    """A format that runs code is refused unsigned, and accepted with the name of the key that vouches."""
    folder = write_folder(tmp_path / "m", format="sklearn-joblib")
    assert "must be signed by a trusted key" in refused(folder)["manifest.sig"]
    (tmp_path / "trusted").mkdir()
    generate(tmp_path / "key")
    sign(folder, tmp_path / "key")
    assert "must be signed" in refused(folder)["manifest.sig"]
    shutil.copy(tmp_path / "key.pub", tmp_path / "trusted" / "anna.pub")
    assert check_folder(folder, tmp_path / "trusted").order().signed_by == "anna"


def test_remote(tmp_path: Path) -> None:
    """A remote model needs no file; its order points to the folder and its address is in the digest."""
    folder = tmp_path / "m"
    digests = set()
    for host in ("one", "two"):
        spec = RemoteSpec(f"http://{host}:8000", "credit")
        whole = dataclasses.replace(manifest(), format="oip-v2", file="", sha256="", remote=spec)
        write_folder(folder)
        (folder / "manifest.toml").write_text(write_manifest(whole))
        order = check_folder(folder, None).order()
        assert order.model_path == folder
        digests.add(order.digest)
    assert len(digests) == 2


def test_not_a_folder(tmp_path: Path) -> None:
    """A path that is no folder of a model is refused with what is needed."""
    assert "give the folder of a model" in refused(tmp_path / "nowhere")["manifest.toml"]
    (tmp_path / "file").write_text("x")
    assert "give the folder of a model" in refused(tmp_path / "file")["manifest.toml"]
