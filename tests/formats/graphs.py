"""Small ONNX graphs built by hand: a network on four numbers, trees with named classes, inputs by feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
WEIGHTS = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any]) -> Any:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=9)


def _floats(name: str, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def network(rows: Any = None, columns: Any = 4, last: str = "Softmax", name: str = "probabilities") -> Any:
    """softmax(x @ WEIGHTS), or with another last operator, for `rows` rows at once (None: any number)."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(last, ["h"], [name])]
    weights = [numpy_helper.from_array(WEIGHTS if columns == 4 else np.zeros((columns, 2), np.float32), "w")]
    return _model(nodes, [_floats("x", rows, columns)], [_floats(name, rows, 2)], weights)


def second_class(label: bool = False) -> Any:
    """sigmoid(x @ the second column of WEIGHTS): one probability a row, perhaps beside a label of whole numbers."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Sigmoid", ["h"], ["p"])]
    outputs = [_floats("p", None, 1)]
    if label:
        nodes.append(helper.make_node("Cast", ["p"], ["label"], to=TensorProto.INT64))
        outputs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, [None, 1]))
    return _model(nodes, [_floats("x", None, 4)], outputs, [numpy_helper.from_array(WEIGHTS[:, 1:], "w")])


def tree_classifier(labels: list[str], zipped: bool = False) -> Any:
    """One split on the first number at zero: class 0 with 0.9 below or at it, class 1 with 0.7 above."""
    trees = helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.0, 0.0, 0.0],
        nodes_hitrates=[1.0, 1.0, 1.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[1, 0, 0],
        class_treeids=[0, 0, 0, 0],
        class_nodeids=[1, 1, 2, 2],
        class_ids=[0, 1, 0, 1],
        class_weights=[0.9, 0.1, 0.3, 0.7],
        classlabels_strings=labels,
        post_transform="NONE",
    )
    text = helper.make_tensor_value_info("label", TensorProto.STRING, [None])
    if not zipped:
        return _model([trees], [_floats("x", None, 4)], [text, _floats("probabilities", None, 2)], [])
    zip_map = helper.make_node("ZipMap", ["probabilities"], ["zipped"], domain="ai.onnx.ml", classlabels_strings=labels)
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    return _model([trees, zip_map], [_floats("x", None, 4)], [text, helper.make_value_info("zipped", kind)], [])


def by_feature() -> Any:
    """income + 10 * age + 100 * member + 1000 * (housing is 'own') + 10000 * debt, one input for each feature."""
    inputs = [
        _floats("income", None, 1),
        helper.make_tensor_value_info("age", TensorProto.INT64, [None, 1]),
        helper.make_tensor_value_info("housing", TensorProto.STRING, [None, 1]),
        helper.make_tensor_value_info("member", TensorProto.BOOL, [None, 1]),
        helper.make_tensor_value_info("debt", TensorProto.DOUBLE, [None]),
    ]
    encode = helper.make_node(
        "LabelEncoder", ["housing"], ["own"], domain="ai.onnx.ml",
        keys_strings=["own"], values_floats=[1.0], default_float=0.0,
    )  # fmt: skip
    nodes = [encode]
    for name in ("age", "member", "debt"):
        nodes.append(helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Reshape", ["debt_float", "column"], ["debt_column"]))
    terms = ["income"]
    for factor, name in (
        ("ten", "age_float"),
        ("hundred", "member_float"),
        ("thousand", "own"),
        ("myriad", "debt_column"),
    ):
        nodes.append(helper.make_node("Mul", [name, factor], [f"{name}_term"]))
        terms.append(f"{name}_term")
    nodes.append(helper.make_node("Sum", terms, ["total"]))
    weights = [
        numpy_helper.from_array(np.array([v], dtype=np.float32), n)
        for n, v in (("ten", 10.0), ("hundred", 100.0), ("thousand", 1000.0), ("myriad", 10000.0))
    ]
    weights.append(numpy_helper.from_array(np.array([-1, 1], dtype=np.int64), "column"))
    return _model(nodes, inputs, [_floats("total", None, 1)], weights)
