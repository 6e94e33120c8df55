"""Facts about the cards: their numbers are those of the model in the folder, measured another way."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from explainer.demo.recipes import all_recipes
from explainer.formats import open_model
from explainer.registry.candidate import check_folder

RECIPES = {recipe.name: recipe for recipe in all_recipes()}
CREDIT = ("credit-gbm", "credit-xgb", "credit-mlp")


def table(card: str, first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with `first`."""
    block = card.split(f"| {first} |", 1)[1].split("\n\n", maxsplit=1)[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines()[2:]]


@cache
def opened(built: Path, name: str) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """The card, and truth, prediction and rows of the test part, from the model as it is opened for service."""
    data = RECIPES[name].dataset()
    rows = data.rows[data.test]
    predicted = open_model(check_folder(built / name, None).order()).predict(rows)[:, -1]
    return (built / name / "card.md").read_text(encoding="utf-8"), data.target[data.test], predicted, rows


@pytest.mark.parametrize("name", CREDIT)
def test_credit_numbers_are_true(built: Path, name: str) -> None:
    """AUC, Brier score, accuracy and declined share on the card equal scikit-learn's, on the model as it is opened."""
    card, truth, bad, _ = opened(built, name)
    found = {row[0]: float(row[1]) for row in table(card, "metric")}
    declined = bad >= 0.4
    assert found["AUC"] == pytest.approx(metrics.roc_auc_score(truth, bad), abs=5.1e-4)
    assert found["Brier score"] == pytest.approx(metrics.brier_score_loss(truth, bad), abs=5.1e-4)
    assert found["Accuracy at the threshold"] == pytest.approx((declined == truth).mean(), abs=5.1e-4)
    assert found["Share declined at the threshold"] == pytest.approx(declined.mean(), abs=5.1e-4)


@pytest.mark.parametrize("name", CREDIT)
def test_credit_groups_are_true(built: Path, name: str) -> None:
    """The rows for applicants below 26 and for foreign workers equal what the test rows give."""
    card, truth, bad, rows = opened(built, name)
    names = [f.name for f in RECIPES[name].dataset().features]
    young = rows[:, names.index("age_years")] < 26
    foreign = rows[:, names.index("foreign_worker")] == 1
    found = {row[0]: [float(cell) for cell in row[1:]] for row in table(card, "group")}
    for group, inside in (("age below 26", young), ("age 26 or more", ~young), ("foreign worker", foreign)):
        declined = bad[inside] >= 0.4
        expected = [inside.sum(), truth[inside].mean(), declined.mean(), declined[truth[inside] == 0].mean()]
        assert found[group] == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.parametrize("name", CREDIT)
def test_credit_models_are_neither_useless_nor_overfitted(built: Path, name: str) -> None:
    """The AUC lies where plain models lie on these data, its interval holds it, and the training AUC is near."""
    card, *_ = opened(built, name)
    metric = {row[0]: row[1:] for row in table(card, "metric")}["AUC"]
    low, high = (float(part) for part in metric[1].split(" to "))
    assert 0.75 < float(metric[0]) < 0.82
    assert low < float(metric[0]) < high
    on_training = re.search(r"On the training rows the AUC is ([0-9.]+);", card)
    assert on_training is not None
    assert float(metric[0]) < float(on_training[1]) < 0.93


@pytest.mark.parametrize("name", CREDIT)
def test_threshold_is_the_one_of_the_manifest(built: Path, name: str) -> None:
    """The card explains the threshold that the manifest decides by."""
    manifest = check_folder(built / name, None).manifest
    assert manifest.decision is not None
    assert f"The threshold is {manifest.decision.threshold} on P(bad)" in opened(built, name)[0]


def test_diabetes_numbers_are_true(built: Path) -> None:
    """R², both errors and the errors by sex equal scikit-learn's on the model as it is opened."""
    card, truth, predicted, rows = opened(built, "diabetes-forest")
    found = {row[0]: float(row[1]) for row in table(card, "metric")}
    assert found["R² (share of variance explained)"] == pytest.approx(metrics.r2_score(truth, predicted), abs=5.1e-4)
    assert found["Mean absolute error"] == pytest.approx(metrics.mean_absolute_error(truth, predicted), abs=5.1e-4)
    sex = rows[:, [f.name for f in RECIPES["diabetes-forest"].dataset().features].index("sex")]
    groups = {row[0]: float(row[4]) for row in table(card, "group")}
    for code in (0, 1):
        error = np.abs(truth - predicted)[sex == code].mean()
        assert groups[f"sex coded {code + 1}"] == pytest.approx(error, abs=5.1e-4)
    assert "Always answering the mean" in card


@pytest.mark.parametrize("name", RECIPES)
def test_card_says_what_the_model_is_not_for(built: Path, name: str) -> None:
    """Purpose, forbidden uses and the flaws of the data stand on the card."""
    card, recipe = (built / name / "card.md").read_text(encoding="utf-8"), RECIPES[name]
    assert card.startswith(f"# {name}\n")
    for text in (recipe.purpose, *recipe.misuse, *recipe.flaws, recipe.training):
        assert text in card
