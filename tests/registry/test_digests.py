"""Digests."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from explainer.records import CardSpec, Feature
from explainer.registry.digests import background_digest, bytes_digest, canonical, file_digest, model_digest
from explainer.registry.manifest import read_manifest, write_manifest
from tests.registry.folders import FEATURES, manifest

FILES = {"model.skops": "0" * 64}


def test_files(tmp_path: Path) -> None:
    """The digest of a file is the SHA-256 of its bytes."""
    data = b"x" * 3_000_000
    (tmp_path / "f").write_bytes(data)
    assert file_digest(tmp_path / "f") == bytes_digest(data) == hashlib.sha256(data).hexdigest()


def test_spelling_does_not_matter() -> None:
    """Comments and spelled-out defaults leave the digest of a version as it is."""
    text = write_manifest(manifest())
    spelled = "# a comment\n" + text.replace('name = "amount"', 'mutable = true\nname = "amount"')
    assert model_digest(read_manifest(spelled.encode()), FILES) == model_digest(manifest(), FILES)


def test_every_content_matters() -> None:
    """Any field of the manifest, any file and any name of a file changes the digest."""
    whole = manifest()
    other_feature = dataclasses.replace(FEATURES[0], max=1001.0)
    digests = {
        model_digest(whole, FILES),
        model_digest(whole, {"model.skops": "1" * 64}),
        model_digest(whole, {"other": "0" * 64}),
        model_digest(whole, {}),
        model_digest(manifest(version="1.1"), FILES),
        model_digest(manifest(features=(other_feature, *FEATURES[1:])), FILES),
        model_digest(manifest(features=FEATURES[::-1]), FILES),
        model_digest(manifest(card=CardSpec("you", "a test", "nothing", "CC0", "card.md")), FILES),
    }
    assert len(digests) == 8


def test_versions_registered_earlier_keep_their_digest() -> None:
    """A manifest that says nothing of what came later has the digest that it had; saying it changes the digest."""
    whole = manifest()
    assert model_digest(whole, FILES) == "43d5c66720cf0b25dacbb44248796c70d0117491223a7e223688785da33cbba9"
    assert whole.decision is not None
    later = dataclasses.replace(whole, decision=dataclasses.replace(whole.decision, reference="approved"))
    stepped = dataclasses.replace(whole, features=(dataclasses.replace(FEATURES[0], step=5.0), *FEATURES[1:]))
    assert len({model_digest(m, FILES) for m in (whole, later, stepped)}) == 3


def test_background() -> None:
    """The digest of a background depends on its numbers, their order and the meaning of the codes, not on memory."""
    coded = np.array([[1.0, 2.0, 0.0, np.nan], [3.0, np.nan, 1.0, 1.0]])
    first = background_digest(FEATURES, coded)
    assert background_digest(FEATURES, np.asfortranarray(coded)) == first
    relabelled = (*FEATURES[:2], Feature("purpose", "category", categories=("house", "car", "other")), FEATURES[3])
    others = {
        background_digest(FEATURES, coded[::-1]),
        background_digest(FEATURES, coded + 1e-16),
        background_digest(FEATURES, coded[:1]),
        background_digest(relabelled, coded),
    }
    assert len({first, *others}) == 5


def test_canonical() -> None:
    """Equal objects have one spelling whatever the order of their keys."""
    assert canonical({"b": 1.0, "a": "é"}) == canonical({"a": "é", "b": 1.0}) == '{"a":"é","b":1.0}'.encode()
