"""ONNX graphs run by onnxruntime on one thread: a matrix of coded numbers, or one input for each feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from explainer.attribution.model import IntArray, OpenedModel
from explainer.errors import ModelFailed, ModelRefused, Problem
from explainer.formats import onnx_file
from explainer.formats.classifier import class_name, class_order, with_first_class
from explainer.formats.frames import code_numbers
from explainer.formats.sizes import too_large
from explainer.records import Feature, FloatArray, LoadOrder, Manifest

MAX_BYTES = 512 << 20
_NUMBERS = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}  # fmt: skip
_REAL = ("tensor(float)", "tensor(double)")
Inputs = Callable[[FloatArray], dict[str, Any]]


class OnnxGraph:
    name: ClassVar[str] = "onnx"
    summary: ClassVar[str] = "ONNX graphs of standard operators in one file, run by onnxruntime."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return too_large(path, MAX_BYTES) or onnx_file.inspect(path)

    def open(self, order: LoadOrder) -> OpenedModel:
        import onnxruntime

        session = _session(order.model_path)
        manifest = order.manifest
        inputs, batch = _inputs(session.get_inputs(), manifest.features)
        output = _output(session.get_outputs(), manifest)
        labels = onnx_file.class_labels(order.model_path)
        shape = _shape_of(output, labels, manifest)

        def run(rows: FloatArray) -> FloatArray:
            return shape(session.run([output.name], inputs(rows))[0], len(rows))

        def one_by_one(rows: FloatArray) -> FloatArray:
            return np.concatenate([run(row[None, :]) for row in rows])

        predict = one_by_one if batch == 1 else run
        outputs = max(1, len(manifest.classes))
        return OpenedModel(predict, manifest.task, outputs, "onnxruntime", onnxruntime.__version__)


def _session(path: Path) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    refusals = (state.Fail, state.InvalidGraph, state.InvalidArgument, state.InvalidProtobuf, state.NotImplemented,
                state.NoSuchFile, state.RuntimeException, ValueError, RuntimeError)  # fmt: skip
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise ModelRefused(f"onnxruntime cannot read the model: {str(error).splitlines()[0]}") from error


# --- what goes in --------------------------------------------------------------------------------------------------


def _inputs(given: list[Any], features: tuple[Feature, ...]) -> tuple[Inputs, int | None]:
    """How coded rows become the graph's inputs, and the number of rows it takes at once where that is fixed."""
    batches = {i.shape[0] for i in given if i.shape and isinstance(i.shape[0], int)}
    if batches - {1}:
        raise ModelRefused(f"The graph takes exactly {sorted(batches)} rows; export it with a free first dimension.")
    batch = 1 if batches else None
    if len(given) == 1 and given[0].type in _NUMBERS and not (len(features) == 1 and given[0].type == "tensor(string)"):
        return _matrix(given[0], len(features)), batch
    by_name = {i.name: i for i in given}
    if sorted(by_name) != sorted(f.name for f in features):
        raise ModelRefused(
            f"The graph's inputs are {sorted(by_name)}; they must be one matrix of numbers, or one for each feature."
        )
    makers = [(f.name, i, _column(f, by_name[f.name])) for i, f in enumerate(features)]
    return lambda rows: {name: maker(rows[:, i]) for name, i, maker in makers}, batch


def _matrix(given: Any, width: int) -> Inputs:
    if len(given.shape) != 2 or (given.shape[1] not in (width, None) and not isinstance(given.shape[1], str)):
        raise ModelRefused(f"The graph's input has shape {given.shape}; rows of {width} features do not fit.")
    kind = _NUMBERS[given.type]
    return lambda rows: {given.name: rows.astype(kind)}


def _column(feature: Feature, given: Any) -> Callable[[FloatArray], Any]:
    """One column (rows, 1) or (rows,): labels where the graph takes text, else numbers and codes."""
    flat = len(given.shape) == 1
    if given.type == "tensor(string)":
        if feature.type != "category":
            raise ModelRefused(f"The graph takes '{feature.name}' as text; the schema says {feature.type}.")
        table = np.array([*feature.categories, ""], dtype=object)
        return lambda column: _stand(table[code_numbers(column, len(table) - 1)], flat)
    if given.type not in _NUMBERS:
        raise ModelRefused(f"The graph takes '{feature.name}' as {given.type}, which is not supported.")
    kind = _NUMBERS[given.type]
    return lambda column: _stand(column.astype(kind), flat)


def _stand(column: Any, flat: bool) -> Any:
    return column if flat else column.reshape(-1, 1)


# --- what comes out ------------------------------------------------------------------------------------------------


def _output(given: list[Any], manifest: Manifest) -> Any:
    """The output with the probabilities, or the regression's values."""
    maps = [o for o in given if o.type.startswith("seq(map(")]
    real = [o for o in given if o.type in _REAL]
    if manifest.task == "classification" and maps:
        return maps[0]
    likely = [o for o in real if "prob" in o.name.lower()] if len(real) > 1 else real
    if len(likely) != 1:
        raise ModelRefused(
            f"Which of the graph's outputs {[o.name for o in given]} to explain is not plain; "
            "export it with one output of real numbers, or name one with 'prob'."
        )
    return likely[0]


def _shape_of(output: Any, labels: list[object], manifest: Manifest) -> Callable[[Any, int], FloatArray]:
    """How the chosen output becomes (rows, outputs) with classes in the manifest's order."""
    if manifest.task == "regression":
        return lambda answer, rows: np.asarray(answer, dtype=np.float64).reshape(rows, -1)
    if output.type.startswith("seq(map("):
        return lambda answer, rows: _maps(answer, manifest)
    order = _order(labels, manifest)

    def shape(answer: Any, rows: int) -> FloatArray:
        found = np.asarray(answer, dtype=np.float64).reshape(rows, -1)
        found = with_first_class(found) if found.shape[1] == 1 and len(manifest.classes) == 2 else found
        if found.shape[1] != len(order):
            raise ModelFailed(f"The graph answers {found.shape[1]} numbers a row for {len(order)} classes.")
        return found[:, order]

    return shape


def _order(labels: list[object], manifest: Manifest) -> IntArray:
    """The graph's own order where it names its classes; positions where it numbers them from 0 or says nothing."""
    count = len(manifest.classes)
    names = [class_name(label) for label in labels]
    if not labels or (names == [str(i) for i in range(count)] and sorted(names) != sorted(manifest.classes)):
        return np.arange(count)
    return class_order(labels, manifest)


def _maps(answer: list[dict[object, float]], manifest: Manifest) -> FloatArray:
    named = [{class_name(k): v for k, v in row.items()} for row in answer]
    numbered = [str(i) for i in range(len(manifest.classes))]
    keys = manifest.classes if set(named[0]) == set(manifest.classes) else numbered
    try:
        return np.array([[row[k] for k in keys] for row in named], dtype=np.float64)
    except KeyError as error:
        raise ModelFailed(f"The graph's probabilities lack class {error}; they have {sorted(named[0])}.") from None


FORMAT = OnnxGraph()
