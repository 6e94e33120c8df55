"""Facts about the recipes: which models there are and what kind each of them is."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from explainer.demo.datasets import code
from explainer.demo.recipes import all_recipes
from explainer.formats import open_model
from explainer.records import FloatArray
from explainer.registry.candidate import check_folder
from tests.demo.conftest import NAMES

RECIPES = {recipe.name: recipe for recipe in all_recipes()}


@cache
def trained(name: str) -> Callable[[FloatArray], FloatArray]:
    """The prediction of one recipe, trained once for all facts about it."""
    return RECIPES[name].train(RECIPES[name].dataset()).predict


def test_all_recipes_are_found_in_building_order() -> None:
    """Scanning finds the four recipes; the one that the README asks comes first."""
    assert tuple(RECIPES) == NAMES


@pytest.mark.parametrize(
    ("name", "structure"),
    [("credit-gbm", "trees"), ("credit-xgb", "trees"), ("credit-mlp", "none"), ("diabetes-forest", "trees")],
)
def test_each_model_shows_the_structure_that_it_is_here_for(built: Path, name: str, structure: str) -> None:
    """Three models hand their trees over, the network shows nothing: a true black box."""
    model = open_model(check_folder(built / name, None).order())
    assert (model.trees is not None) == (structure == "trees")
    assert model.linear is None


def test_xgboost_splits_on_categories_themselves(built: Path) -> None:
    """The XGBoost model has one column a feature and tests category sets, without one-hot columns."""
    model = open_model(check_folder(built / "credit-xgb", None).order())
    assert model.columns is None
    assert model.trees is not None
    assert (model.trees.kind == 2).any()


@pytest.mark.parametrize("name", NAMES)
def test_training_repeats_to_the_bit(name: str) -> None:
    """Two trainings in one process give models that answer the test rows with the same bits."""
    recipe = RECIPES[name]
    data = recipe.dataset()
    first, second = (predict(data.rows[data.test]) for predict in (trained(name), recipe.train(data).predict))
    np.testing.assert_array_equal(first, second)


def test_the_network_converges() -> None:
    """Training the network ends because it has converged, not because its rounds are used up (no warning)."""
    recipe = RECIPES["credit-mlp"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recipe.train(recipe.dataset())


# Reason texts that name a direction, with values that each side speaks of: raising the output, then lowering it.
DIRECTIONS = [
    ("credit", "checking_account", ("no checking account", "below 0 DM"), ("200 DM or more, or salary account",)),
    ("credit", "duration_months", (36, 48), (6, 12)),
    ("credit", "credit_history", (), ("all credits at this bank paid back duly",)),
    ("credit", "savings", ("unknown or none",), ("100 to 500 DM", "500 to 1000 DM", "1000 DM or more")),
    ("credit", "other_installment_plans", ("stores", "bank"), ("none",)),
    ("diabetes", "bmi_kg_m2", (30, 34), (20, 23)),
    ("diabetes", "blood_pressure_mmhg", (105, 118), (75, 85)),
    ("diabetes", "hdl_mg_dl", (31, 40), (57, 71)),
    ("diabetes", "cholesterol_to_hdl_ratio", (5, 6.3), (2, 3)),
    ("diabetes", "log_triglycerides", (5, 5.5), (3.9, 4.3)),
    ("diabetes", "blood_sugar_mg_dl", (111, 120), (73, 84)),
]


@pytest.mark.parametrize(("model", "name", "raises", "lowers"), DIRECTIONS)
def test_reasons_that_name_a_direction_are_true(
    model: str, name: str, raises: tuple[object, ...], lowers: tuple[object, ...]
) -> None:
    """Where a text says 'high', 'long' or 'none known', such a value in all training rows moves the mean that way."""
    for recipe in (recipe for key, recipe in RECIPES.items() if key.startswith(model)):
        data = recipe.dataset()
        feature, rows, predict = data.position(name), data.rows[data.train], trained(recipe.name)
        usual = predict(rows)[:, -1].mean()
        for values, sign in ((raises, 1), (lowers, -1)):
            for value in values:
                changed = rows.copy()
                changed[:, feature] = code(data.features[feature], str(value))
                assert sign * (predict(changed)[:, -1].mean() - usual) > 0, (recipe.name, value)
