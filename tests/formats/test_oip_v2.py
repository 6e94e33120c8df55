"""The Open Inference Protocol V2: tensors go out, the output with the probabilities comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelFailed
from explainer.formats import open_model
from explainer.formats.oip_v2 import question
from explainer.records import RemoteSpec
from tests.formats import orders
from tests.formats.servers import Answer, as_json, serving

ROWS, NUMBERS = orders.mixed_rows(30), orders.number_rows(30)


def opened(url: str, features: Any = orders.FEATURES, classes: tuple[str, ...] = ("good", "bad")) -> OpenedModel:
    declared = orders.manifest("oip-v2", features, classes, RemoteSpec(url, "lending", 5.0))
    return open_model(orders.order(Path("none"), declared, ROWS if features is orders.FEATURES else NUMBERS))


def tensor(name: str, values: Any) -> dict[str, Any]:
    array = np.asarray(values, dtype=float)
    return {"name": name, "shape": list(array.shape), "datatype": "FP64", "data": array.ravel().tolist()}


def by_age(body: Any) -> Answer:
    """A server that knows `predict_proba` and answers labels unless it is asked for it."""
    ages = np.array(next(i for i in body["inputs"] if i["name"] == "age")["data"])
    if body.get("outputs") == [{"name": "predict_proba"}]:
        return as_json({"outputs": [tensor("predict_proba", np.column_stack([1 - ages / 100, ages / 100]))]})
    return as_json({"outputs": [tensor("predict", ages > 50)]})


def test_features_with_labels_go_out_as_one_tensor_each() -> None:
    """Text for categories, empty where missing; FP64 for all else, null where missing."""
    asked = question(orders.FEATURES, np.array([[np.nan, 30.0, 1.0, 1.0, 2.5], [1.5, 31.0, np.nan, 0.0, 0.0]]))
    tensors = {t["name"]: (t["datatype"], t["shape"], t["data"]) for t in asked["inputs"]}
    assert tensors == {
        "income": ("FP64", [2, 1], [None, 1.5]),
        "age": ("FP64", [2, 1], [30.0, 31.0]),
        "housing": ("BYTES", [2, 1], ["own", ""]),
        "member": ("FP64", [2, 1], [1.0, 0.0]),
        "debt": ("FP64", [2, 1], [2.5, 0.0]),
    }


def test_numbers_go_out_as_one_matrix() -> None:
    """Without categories there is one tensor, row by row."""
    rows = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    assert question(orders.NUMBERS, rows) == {
        "inputs": [{"name": "input-0", "shape": [2, 4], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6, 7, 8]}]
    }


def test_probabilities_are_asked_for_by_name() -> None:
    """A server that gives probabilities only on demand is asked for them."""
    with serving(by_age) as told:
        model = opened(told.url)
        assert model.predict(ROWS)[:, 1] == pytest.approx(ROWS[:, 1] / 100)
    assert set(told.paths) == {"/v2/models/lending/infer"}


def test_a_server_that_refuses_the_name_is_asked_for_its_own_outputs() -> None:
    """Where `predict_proba` is unknown the usual outputs are taken."""

    def answer(body: Any) -> Answer:
        if "outputs" in body:
            return 400, b"unknown output"
        rows = body["inputs"][0]["shape"][0]
        return as_json({"outputs": [tensor("label", [0] * rows), tensor("probabilities", [[0.3, 0.7]] * rows)]})

    with serving(answer) as told:
        model = opened(told.url, orders.NUMBERS)
        assert model.predict(NUMBERS[:2]).tolist() == [[0.3, 0.7]] * 2


def test_a_regression_takes_the_only_output() -> None:
    """A tensor of shape [rows] is one value a row."""

    def answer(body: Any) -> Answer:
        matrix = np.array(body["inputs"][0]["data"], dtype=float).reshape(body["inputs"][0]["shape"])
        return as_json({"outputs": [tensor("y", matrix[:, 1] * 3)]})

    with serving(answer) as told:
        model = opened(told.url, orders.COMPLETE, ())
        assert model.predict(NUMBERS)[:, 0] == pytest.approx(NUMBERS[:, 1] * 3)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"outputs": []},
        {"outputs": [tensor("a", [1.0]), tensor("b", [1.0])]},
        {"outputs": [{"name": "a", "shape": [7, 7], "data": [1.0]}]},
        {"outputs": [{"name": "a", "shape": None, "data": [1.0]}]},
        {"outputs": [{"name": "a", "shape": [1], "data": ["x"]}]},
    ],
)
def test_answers_of_another_form_are_failures(answer: Any) -> None:
    """No output, two without a name to choose by, and data of another shape are failures that name the server."""
    with serving(lambda body: as_json(answer)) as told, pytest.raises(ModelFailed, match=r"127\.0\.0\.1"):
        opened(told.url, orders.COMPLETE, ())
