"""The KServe V1 protocol: raw values in schema order go out, probabilities of each class come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelFailed, ModelRefused
from explainer.formats import open_model
from explainer.records import RemoteSpec
from tests.formats import orders
from tests.formats.servers import as_json, serving

ROWS = orders.mixed_rows(30)


def opened(url: str, classes: tuple[str, ...] = ("good", "bad")) -> OpenedModel:
    spec = RemoteSpec(url, "lending", 5.0)
    return open_model(orders.order(Path("none"), orders.manifest("kserve-v1", classes=classes, remote=spec), ROWS))


def share(row: list[Any]) -> float:
    """A probability that depends on age and label."""
    return float(row[1]) / 100.0 * (0.5 if row[2] == "own" else 1.0)


def expected(rows: Any) -> Any:
    bad = rows[:, 1] / 100.0 * np.where(rows[:, 2] == 1.0, 0.5, 1.0)
    return np.column_stack([1.0 - bad, bad])


@pytest.mark.parametrize("form", ["lists", "objects", "numbers"])
def test_each_form_of_answer_is_read(form: str) -> None:
    """Lists in the manifest's order, objects by class name, and the second class alone mean the same."""
    shaped = {
        "lists": lambda p: [1.0 - p, p],
        "objects": lambda p: {"bad": p, "good": 1.0 - p},
        "numbers": lambda p: p,
    }[form]
    with serving(lambda body: as_json({"predictions": [shaped(share(r)) for r in body["instances"]]})) as told:
        model = opened(told.url)
        assert model.predict(ROWS) == pytest.approx(expected(ROWS))
        assert model.predict(ROWS[:0]).shape == (0, 2)
    assert set(told.paths) == {"/v1/models/lending:predict"}


def test_rows_go_out_as_raw_values_with_null_for_missing() -> None:
    """Numbers, integers, labels and booleans in schema order."""
    rows = np.array([[np.nan, 30.0, np.nan, 1.0, 2.5]])
    with serving(lambda body: as_json({"predictions": [[0.4, 0.6]] * len(body["instances"])})) as told:
        opened(told.url).predict(rows)
    assert told.bodies[-1] == {"instances": [[None, 30, None, True, 2.5]]}


def test_a_regression_answers_a_number_a_row() -> None:
    """Plain numbers are a regression's values; the model says that it can change unseen."""
    with serving(lambda body: as_json({"predictions": [r[1] * 2 for r in body["instances"]]})) as told:
        model = opened(told.url, ())
        assert model.predict(ROWS)[:, 0].tolist() == (ROWS[:, 1] * 2).tolist()
    assert [n.code for n in model.notices] == ["remote-model"]
    assert model.trees is None


def test_classes_instead_of_probabilities_are_refused() -> None:
    """A server that answers 0 and 1 only serves labels, which are no probabilities."""
    refused = pytest.raises(ModelRefused, match="classes, not probabilities")
    with serving(lambda body: as_json({"predictions": [r[1] > 50 for r in body["instances"]]})) as told, refused:
        opened(told.url)


@pytest.mark.parametrize(
    "answer", [{}, {"predictions": None}, {"predictions": [[0.5, 0.5]]}, {"predictions": [{"good": 1.0}] * 30}]
)
def test_answers_of_another_form_are_failures(answer: Any) -> None:
    """Too few rows, no predictions and missing classes are failures that name the server."""
    with serving(lambda body: as_json(answer)) as told, pytest.raises(ModelFailed, match=r"127\.0\.0\.1"):
        opened(told.url)
