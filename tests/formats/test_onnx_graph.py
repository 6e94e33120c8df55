"""ONNX graphs answer as their arithmetic says, whatever shape their inputs and outputs have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused
from explainer.formats import open_model
from explainer.formats.classifier import probabilities
from tests.formats import graphs, orders

ROWS = np.nan_to_num(orders.number_rows(50))
MIXED = np.nan_to_num(orders.mixed_rows(50))
STRICT = tuple(replace(f, nullable=False) for f in orders.FEATURES)


def opened(graph: Any, folder: Path, rows: Any = ROWS, features: Any = orders.COMPLETE, **more: Any) -> OpenedModel:
    (folder / "model").write_bytes(graph.SerializeToString())
    return open_model(orders.order(folder / "model", orders.manifest("onnx", features, **more), rows))


@pytest.mark.parametrize("rows", [None, 1, "batch"])
def test_a_network_on_one_matrix_answers_its_softmax(rows: Any, tmp_path: Path) -> None:
    """A free, fixed or named first dimension gives the same probabilities."""
    model = opened(graphs.network(rows), tmp_path)
    assert model.predict(ROWS) == pytest.approx(probabilities(ROWS @ graphs.WEIGHTS, "softmax"), abs=1e-6)
    assert model.predict(ROWS[:1]).shape == (1, 2)
    assert model.predict(ROWS[:0]).shape == (0, 2)


@pytest.mark.parametrize("label", [False, True])
def test_one_probability_a_row_becomes_two(label: bool, tmp_path: Path) -> None:
    """A sigmoid output is the second class's; a label beside it is left alone."""
    model = opened(graphs.second_class(label), tmp_path)
    second = 1.0 / (1.0 + np.exp(-(ROWS @ graphs.WEIGHTS[:, 1])))
    assert model.predict(ROWS) == pytest.approx(np.column_stack([1 - second, second]), abs=1e-6)


@pytest.mark.parametrize("zipped", [False, True])
def test_classes_that_the_graph_names_are_put_in_the_manifests_order(zipped: bool, tmp_path: Path) -> None:
    """Tensor or map, the probability of 'good' stands where the manifest says 'good'."""
    model = opened(graphs.tree_classifier(["bad", "good"], zipped), tmp_path, classes=("good", "bad"))
    bad = np.where(ROWS[:, 0] <= 0.0, 0.9, 0.3)
    assert model.predict(ROWS) == pytest.approx(np.column_stack([1 - bad, bad]), abs=1e-6)


def test_numbered_classes_are_taken_by_position(tmp_path: Path) -> None:
    """Labels '0' and '1' are the manifest's first and second class."""
    model = opened(graphs.tree_classifier(["0", "1"], zipped=True), tmp_path)
    assert model.predict(ROWS)[:, 0] == pytest.approx(np.where(ROWS[:, 0] <= 0.0, 0.9, 0.3), abs=1e-6)


def test_inputs_by_feature_take_each_in_its_own_type(tmp_path: Path) -> None:
    """Text for categories, int64, bool, double and float for the others, flat or as a column."""
    model = opened(graphs.by_feature(), tmp_path, MIXED, STRICT, classes=())
    own = (MIXED[:, 2] == 1.0).astype(float)
    due = MIXED[:, 0] + 10 * MIXED[:, 1] + 100 * MIXED[:, 3] + 1000 * own + 10000 * MIXED[:, 4]
    assert model.predict(MIXED)[:, 0] == pytest.approx(due, rel=1e-5)


@pytest.mark.parametrize(
    ("graph", "more", "message"),
    [
        (graphs.network(columns=7), {}, "rows of 4 features do not fit"),
        (graphs.network(rows=32), {}, r"takes exactly \[32\] rows"),
        (graphs.network(last="Relu"), {}, "not probabilities"),
        (graphs.by_feature(), {}, "inputs are"),
        (graphs.tree_classifier(["yes", "no"]), {}, "knows the classes"),
    ],
)
def test_graphs_that_do_not_fit_are_refused(graph: Any, more: Any, message: str, tmp_path: Path) -> None:
    """Width, batch, outputs, inputs and classes are compared with the manifest before anything is explained."""
    with pytest.raises(ModelRefused, match=message):
        opened(graph, tmp_path, **more)


def test_two_outputs_of_numbers_are_not_guessed_between(tmp_path: Path) -> None:
    """When nothing names the probabilities the graph is refused."""
    graph = graphs.network(name="a")
    copy = graph.graph.output.add()
    copy.CopyFrom(graph.graph.output[0])
    copy.name = "h"
    with pytest.raises(ModelRefused, match="not plain"):
        opened(graph, tmp_path)
