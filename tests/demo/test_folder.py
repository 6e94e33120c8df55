"""Facts about the folders that are built: the registry takes them, and the models answer as they say."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from explainer.demo.folder import build_folder
from explainer.demo.recipe import Trained
from explainer.demo.recipes import all_recipes
from explainer.formats import compare_golden, open_model
from explainer.registry.candidate import Candidate, check_folder
from explainer.registry.rows import code_rows
from explainer.registry.tables import read_table
from tests.demo.conftest import NAMES

RECIPES = {recipe.name: recipe for recipe in all_recipes()}


@pytest.fixture(scope="module", params=NAMES)
def candidate(request: pytest.FixtureRequest, built: Path) -> Candidate:
    return check_folder(built / request.param, None)


def test_the_registry_finds_nothing_wrong(candidate: Candidate) -> None:
    """Manifest, checksums, background, golden rows and samples pass the registry's own checks."""
    manifest = candidate.manifest
    assert manifest.features == RECIPES[manifest.name].dataset().features
    assert len(candidate.background) == manifest.background.rows == 100
    assert candidate.golden_rows.shape[0] == 20


def test_the_opened_model_reproduces_its_golden_rows(candidate: Candidate) -> None:
    """The file opened through its format answers the golden rows as the model did when it was trained."""
    model = open_model(candidate.order())
    golden = (candidate.golden_rows, candidate.golden_predictions)
    assert compare_golden(model, *golden, candidate.manifest.golden) == []
    assert model.library == candidate.manifest.golden.library
    assert model.library_version == candidate.manifest.golden.version


def test_the_golden_check_would_see_another_model(candidate: Candidate) -> None:
    """Golden predictions that are off by a thousandth of scale are found: the check above can fail."""
    model = open_model(candidate.order())
    wrong = candidate.golden_predictions * 1.001 + 0.001
    assert compare_golden(model, candidate.golden_rows, wrong, candidate.manifest.golden)


def test_background_is_training_rows_and_samples_are_test_rows(candidate: Candidate) -> None:
    """The background was drawn from the rows the model learnt from, the samples from those that it never saw."""
    manifest, data = candidate.manifest, RECIPES[candidate.manifest.name].dataset()
    train = {row.tobytes() for row in data.rows[data.train]}
    test = {row.tobytes() for row in data.rows[data.test]}
    lines = list(read_table(candidate.folder / "samples.csv", manifest.features))
    samples = code_rows(manifest.features, [line.row for line in lines])
    assert len(samples) == 25
    assert all(row.tobytes() in train for row in candidate.background)
    assert all(row.tobytes() in test for row in samples)
    assert all(row.tobytes() in test for row in candidate.golden_rows)


def test_no_target_in_any_table(candidate: Candidate) -> None:
    """Neither the id nor the outcome is a column of the background or the samples."""
    for name in ("background.csv", "samples.csv"):
        with (candidate.folder / name).open(encoding="utf-8", newline="") as stream:
            assert next(csv.reader(stream)) == [f.name for f in candidate.manifest.features]


def test_licences_are_stated(candidate: Candidate) -> None:
    """The manifest and the card name the licence of the model and of the data."""
    data = RECIPES[candidate.manifest.name].dataset()
    card = (candidate.folder / "card.md").read_text(encoding="utf-8")
    for text in (candidate.manifest.card.license, card):
        assert "Apache-2.0" in text
        assert data.license in text


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """When a model cannot be saved, neither a finished nor a half-written folder is left."""

    def unsavable(path: Path) -> None:
        raise OSError(f"no room for {path.name}")

    broken = Trained(lambda rows: np.zeros((len(rows), 2)), unsavable, "0")
    recipe = dataclasses.replace(RECIPES["credit-xgb"], train=lambda data: broken)
    with pytest.raises(OSError, match=r"model\.ubj"):
        build_folder(recipe, tmp_path)
    assert list(tmp_path.iterdir()) == []
