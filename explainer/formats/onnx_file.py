"""An ONNX file as a graph: only standard operators, nothing kept outside the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from explainer.errors import Problem

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
MAX_DEPTH = 32
_EXTERNAL = 1  # TensorProto.EXTERNAL


def inspect(path: Path) -> list[Problem]:
    """What is wrong with the file by itself, before onnxruntime sees it."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError, RecursionError) as error:
        return [Problem("model.file", "form", f"It is not an ONNX model: {error}.")]
    if found := _foreign(model):
        return found
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        return [Problem("model.file", "structure", f"It is not a valid ONNX model: {str(error).splitlines()[0]}")]
    return []


def _foreign(model: Any) -> list[Problem]:
    domains = sorted({o.domain for o in model.opset_import if o.domain not in DOMAINS})
    if not model.graph.node:
        return [Problem("model.file", "form", "It holds no graph.")]
    if len(model.functions):
        return [Problem("model.file", "operators", "It defines functions of its own; export it with them inlined.")]
    for node, depth in nodes(model.graph):
        if depth > MAX_DEPTH:
            return [Problem("model.file", "structure", f"Its graphs are nested deeper than {MAX_DEPTH}.")]
        if node.domain not in DOMAINS:
            domains.append(node.domain)
    if domains:
        detail = f"It uses operators of {sorted(set(domains))}; only standard ONNX and ONNX-ML operators are run."
        return [Problem("model.file", "operators", detail)]
    if any(t.data_location == _EXTERNAL for t in _tensors(model)):
        return [Problem("model.file", "external", "It keeps weights in other files; save it as one file.")]
    return []


def nodes(graph: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Every operator of the graph and of the graphs inside it, with how deep it lies (one beyond MAX_DEPTH at most)."""
    for node in graph.node:
        yield node, depth
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if depth <= MAX_DEPTH and inner.node:
                    yield from nodes(inner, depth + 1)


def _tensors(model: Any) -> Iterator[Any]:
    yield from _initial(model.graph)
    for node, _ in nodes(model.graph):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _initial(inner)


def _initial(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def class_labels(path: Path) -> list[object]:
    """Labels that the last classifier of the graph gives its outputs; empty where it says none."""
    import onnx

    found: list[object] = []
    for node in onnx.load_model_from_string(path.read_bytes()).graph.node:
        for attribute in node.attribute:
            if attribute.name == "classlabels_strings" and attribute.strings:
                found = [s.decode("utf-8", "replace") for s in attribute.strings]
            elif attribute.name in ("classlabels_int64s", "classlabels_ints") and attribute.ints:
                found = [int(i) for i in attribute.ints]
    return found
