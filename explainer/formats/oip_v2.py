"""A remote model behind the Open Inference Protocol V2: `POST {url}/v2/models/{model}/infer`.

Without category features one FP64 tensor `input-0` of shape [rows, features] is sent; otherwise one tensor of shape
[rows, 1] for each feature under its name, BYTES (text) for categories and FP64 for all else. A missing value is null,
a missing label the empty text. The answer's output whose name holds 'prob' is taken, else its only one: [rows] or
[rows, outputs] with classes in the manifest's order. The manifest has `[remote] url, model, timeout_s` and no file.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelFailed, ModelRefused, Problem
from explainer.formats.frames import code_numbers
from explainer.formats.remote import Server, ServerRefusedError, as_matrix, in_batches, inspect_remote, opened
from explainer.records import Feature, FloatArray, LoadOrder, Manifest

PROBABILITIES = "predict_proba"  # what MLServer calls them, and gives only when it is asked for them


class OpenInferenceV2:
    name: ClassVar[str] = "oip-v2"
    summary: ClassVar[str] = "A model on another server, asked by the Open Inference Protocol V2."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = True

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return inspect_remote(manifest)

    def open(self, order: LoadOrder) -> OpenedModel:
        manifest = order.manifest
        if manifest.remote is None:
            raise ModelRefused("A remote model needs [remote] in its manifest.")
        server = Server(manifest.remote, "/v2/models/{model}/infer")
        wanted = _wanted(server, order) if manifest.task == "classification" else {}

        def ask(rows: FloatArray) -> FloatArray:
            answer = server.post({**question(manifest.features, rows), **wanted})
            values = _values(answer, len(rows), server.where)
            return as_matrix(values, len(rows), max(1, len(manifest.classes)), server.where)

        return opened(in_batches(ask), order, "Open Inference Protocol", "V2")


def _wanted(server: Server, order: LoadOrder) -> dict[str, Any]:
    """Ask for probabilities by name where the server knows that name, for its usual outputs where it refuses it."""
    wanted = {"outputs": [{"name": PROBABILITIES}]}
    try:
        server.post({**question(order.manifest.features, order.background[:1]), **wanted})
    except ServerRefusedError:
        return {}
    return wanted


def question(features: tuple[Feature, ...], rows: FloatArray) -> dict[str, Any]:
    """The request's tensors for coded rows."""
    if all(f.type != "category" for f in features):
        return {"inputs": [_tensor("input-0", list(rows.shape), _numbers(rows.ravel()))]}
    tensors = [_column(f, rows[:, i]) for i, f in enumerate(features)]
    return {"parameters": {"content_type": "pd"}, "inputs": tensors}


def _column(feature: Feature, column: FloatArray) -> dict[str, Any]:
    shape = [len(column), 1]
    if feature.type != "category":
        return _tensor(feature.name, shape, _numbers(column))
    table = [*feature.categories, ""]
    labels = [table[i] for i in code_numbers(column, len(feature.categories)).tolist()]
    text = {"name": feature.name, "shape": shape, "datatype": "BYTES", "data": labels}
    return {**text, "parameters": {"content_type": "str"}}


def _tensor(name: str, shape: list[int], data: list[float | None]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


def _numbers(values: FloatArray) -> list[float | None]:
    return [None if math.isnan(v) else v for v in values.tolist()]


def _values(answer: dict[str, Any], rows: int, where: str) -> Any:
    outputs = [o for o in answer.get("outputs") or [] if isinstance(o, dict)]
    likely = [o for o in outputs if "prob" in str(o.get("name", "")).lower()]
    chosen = likely if likely else outputs
    if len(chosen) != 1:
        names = [o.get("name") for o in outputs]
        raise ModelFailed(f"{where} answered the outputs {names}; one is due, or one with 'prob' in its name.")
    shape, data = chosen[0].get("shape"), chosen[0].get("data")
    try:
        extents: list[int] = [int(n) for n in shape or ()]
        return np.asarray(data, dtype=np.float64).reshape(extents)
    except (ValueError, TypeError):
        raise ModelFailed(f"{where} answered data that do not have their stated shape {shape}.") from None


FORMAT = OpenInferenceV2()
