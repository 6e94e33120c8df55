"""What explanations tell about who was in the training data, for a model that generalises and for one that does not."""

from __future__ import annotations

import pytest

from explainer.demo.datasets import german_credit
from tests.attacks.membership import guessed
from tests.attacks.serving import served

LABEL_FREE = ("confidence", "variance of the attributions", "sum of their sizes")
LEARNT = ("learnt from rows and predictions", "learnt from rows, predictions and attributions")


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    settings = {"n_estimators": 40, "max_depth": 2, "learning_rate": 0.1, "reg_lambda": 5.0}
    return guessed(served(german_credit(), tmp_path_factory.mktemp("careful"), **settings), german_credit(), 3)


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    settings = {"n_estimators": 60, "max_depth": 6, "learning_rate": 0.3, "reg_lambda": 0.0, "min_child_weight": 0}
    return guessed(served(german_credit(), tmp_path_factory.mktemp("overfitted"), **settings), german_credit(), 1)


def test_a_model_that_generalises_tells_next_to_nothing(careful: dict[str, float]) -> None:
    """No guess comes far from chance, and attributions add at most a few hundredths to what predictions tell."""
    assert all(abs(careful[name] - 0.5) < 0.08 for name in (*LABEL_FREE, *LEARNT))
    assert careful["error"] < 0.65
    assert careful[LEARNT[1]] - careful[LEARNT[0]] < 0.05


def test_an_overfitted_model_tells_who_was_there(careful: dict[str, float], overfitted: dict[str, float]) -> None:
    """The attack is one: where training rows were learnt by heart, their small errors give them away."""
    assert overfitted["error"] > 0.7
    assert overfitted["error"] > careful["error"] + 0.1
