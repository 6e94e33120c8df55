"""An ONNX file that asks for more than standard operators within itself is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from explainer.formats import onnx_file
from tests.formats import graphs


def rules(model: Any, path: Path) -> list[str]:
    path.write_bytes(model.SerializeToString())
    return [p.rule for p in onnx_file.inspect(path)]


def test_a_plain_graph_has_no_problem(tmp_path: Path) -> None:
    """A small network of standard operators passes."""
    assert rules(graphs.network(), tmp_path / "m") == []


def test_operators_of_other_domains_are_found(tmp_path: Path) -> None:
    """A custom domain is found in the graph, in its imports, and in a graph inside an operator."""
    foreign = graphs.network()
    foreign.graph.node[0].domain = "com.example"
    imported = graphs.network()
    imported.opset_import.append(helper.make_opsetid("com.example", 1))
    inner = helper.make_graph([helper.make_node("Evil", [], ["y"], domain="com.example")], "inner", [], [])
    nested = graphs.network()
    nested.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=inner))
    for model in (foreign, imported, nested):
        assert rules(model, tmp_path / "m") == ["operators"]


def test_weights_in_other_files_are_found(tmp_path: Path) -> None:
    """External data could name any file of the machine."""
    model = graphs.network()
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    assert rules(model, tmp_path / "m") == ["external"]


def test_functions_of_its_own_are_found(tmp_path: Path) -> None:
    """Functions are not looked into, so they are not accepted."""
    model = graphs.network()
    node = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(helper.make_function("mine", "f", ["a"], ["b"], [node], [helper.make_opsetid("", 17)]))
    assert rules(model, tmp_path / "m") == ["operators"]


def test_an_invalid_graph_is_found_by_the_checker(tmp_path: Path) -> None:
    """An operator whose input nobody makes is invalid."""
    model = graphs.network()
    model.graph.node[0].input[0] = "nobody"
    assert rules(model, tmp_path / "m") == ["structure"]


@pytest.mark.parametrize("data", [b"\xff" * 50, b"hello", onnx.ModelProto().SerializeToString() + b"\x08\x09"])
def test_what_is_no_onnx_file_is_found(tmp_path: Path, data: bytes) -> None:
    """Other bytes, and a file without a graph."""
    (tmp_path / "m").write_bytes(data)
    assert [p.rule for p in onnx_file.inspect(tmp_path / "m")] == ["form"]


def test_class_labels_are_read_where_the_graph_names_them(tmp_path: Path) -> None:
    """A tree classifier says its classes; a network does not."""
    (tmp_path / "trees").write_bytes(graphs.tree_classifier(["bad", "good"]).SerializeToString())
    (tmp_path / "network").write_bytes(graphs.network().SerializeToString())
    assert onnx_file.class_labels(tmp_path / "trees") == ["bad", "good"]
    assert onnx_file.class_labels(tmp_path / "network") == []
    assert np.isfinite(graphs.WEIGHTS).all()
