"""Predictions in names and numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.disclosure.levels import Policy
from explainer.errors import InvalidRows, ModelFailed, TooLarge
from explainer.monitoring.catalogue import WARNINGS
from explainer.monitoring.cells import Cells
from explainer.monitoring.gathering import combined, tallies
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.records import DecisionSpec
from explainer.usecases.predict import predict, prediction_words
from tests.house import House, build
from tests.registry.folders import ROW, manifest, wide

CREDIT = manifest()


@pytest.mark.parametrize(("p", "decision"), [(0.49, "granted"), (0.5, "declined"), (1.0, "declined"), (0.0, "granted")])
def test_a_decision_follows_the_threshold(p: float, decision: str) -> None:
    """The adverse decision begins at the threshold itself."""
    words = prediction_words(CREDIT, np.array([p, 1 - p]))
    assert words["prediction"] == p
    assert words["class"] == "bad"
    assert words["probabilities"] == {"bad": p, "good": 1 - p}
    assert words["decision"] == decision


def test_without_a_positive_class_the_likeliest_leads() -> None:
    """Of many classes the likeliest is named, the first of equals."""
    many = dataclasses.replace(CREDIT, classes=("a", "b", "c"), positive_class=None, decision=None)
    assert prediction_words(many, np.array([0.2, 0.5, 0.3]))["class"] == "b"
    assert prediction_words(many, np.array([0.4, 0.4, 0.2]))["class"] == "a"
    assert "decision" not in prediction_words(many, np.array([0.2, 0.5, 0.3]))


def test_a_regression_has_its_number() -> None:
    """A number is a prediction in the model's own unit, without classes."""
    number = dataclasses.replace(CREDIT, task="regression", classes=(), positive_class=None, decision=None)
    assert prediction_words(number, np.array([12.5])) == {"prediction": 12.5, "output": "raw"}


def test_the_adverse_side_is_the_declared_one() -> None:
    """Where scores below the threshold are adverse the decision turns around; a regression's value has one as well."""
    below = DecisionSpec(0.5, "granted", "declined", adverse_when="below")
    assert prediction_words(manifest(decision=below), np.array([0.4, 0.6]))["decision"] == "declined"
    number = manifest(
        task="regression", classes=(), positive_class=None, decision=dataclasses.replace(below, threshold=12.0)
    )
    assert prediction_words(number, np.array([12.5])) == {"prediction": 12.5, "output": "raw", "decision": "granted"}


def test_rows_are_predicted_and_recorded(house: House) -> None:
    """One item for each row in order, one entry, no receipt; the numbers are the workers' own."""
    version = house.register(decision=DecisionSpec(0.5, "yes", "no"))
    done = predict(house.rooms, house.serving, house.caller(), "credit", None, [ROW, {**ROW, "amount": 0.0}])
    direct = house.workers.predict(version.digest, np.array([[12.5, 24, 1, 1], [0.0, 24, 1, 1]]))
    assert [i["prediction"] for i in done.items] == direct[:, 0].tolist()
    (entry,) = house.entries()
    assert (entry.entry.event, entry.entry.body["rows"]) == ("api:prediction:create", 2)


@pytest.mark.parametrize(("rows", "error"), [([], InvalidRows), ([{}], InvalidRows), ([ROW] * 3, TooLarge)])
def test_bad_rows_reach_no_model(tmp_path: Any, rows: Any, error: type[Exception]) -> None:
    """Refused before anything is opened or computed, with one entry."""
    house = build(tmp_path, max_rows=2)
    house.register()
    with pytest.raises(error):
        predict(house.rooms, house.serving, house.caller(), "credit", None, rows)
    assert house.workers.asked == []
    assert len(house.entries()) == 1


def test_a_failing_model_is_recorded(house: House) -> None:
    """The failure reaches the caller under its own code."""
    house.register()
    house.workers.failing = ModelFailed("it divided by zero")
    with pytest.raises(ModelFailed):
        predict(house.rooms, house.serving, house.caller(), "credit", "1.0", [ROW])
    assert [e.entry.outcome for e in house.entries()] == ["model-failed"]


def test_rows_unlike_the_background_carry_warnings(tmp_path: Path) -> None:
    """Each row by itself, under every policy, counted by model and code; the numbers stay what they are."""
    cells = Cells(tmp_path / "meters", "web", LIVE)
    house = build(tmp_path)
    house = house.with_rooms(meters=FileMeters(cells))
    files, background = wide()
    house.register(files, background=background)
    house.rooms.policies.set("demo", "*", Policy(values=False, detail="texts", prediction="none"), "an administrator")
    strange = {**ROW, "amount": 900.0}
    done = predict(house.rooms, house.serving, house.caller(), "credit", None, [ROW, strange])
    assert done.items[0]["warnings"] == []
    assert "out-of-range" in [warning["code"] for warning in done.items[1]["warnings"]]
    assert "amount" in done.items[1]["warnings"][-1]["detail"]
    assert done.items[1]["prediction"] is None
    counted = combined(tallies(tmp_path / "meters"), frozenset(), frozenset())
    assert counted[WARNINGS.name, "credit", "out-of-range"][0] == 1
