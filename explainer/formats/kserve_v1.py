"""A remote model behind the KServe V1 protocol: `POST {url}/v1/models/{model}:predict`.

`instances` are lists of raw values in schema order: labels, booleans, numbers, null where a value is missing.
`predictions` holds for each row a number, a list with one probability for each class in the manifest's order, or an
object of probabilities by class name. The manifest has `[remote] url, model, timeout_s` and no model file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelFailed, ModelRefused, Problem
from explainer.formats.frames import raw_values
from explainer.formats.remote import Server, as_matrix, in_batches, inspect_remote, opened
from explainer.records import FloatArray, LoadOrder, Manifest


class KServeV1:
    name: ClassVar[str] = "kserve-v1"
    summary: ClassVar[str] = "A model on another server, asked by the KServe V1 protocol."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = True

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return inspect_remote(manifest)

    def open(self, order: LoadOrder) -> OpenedModel:
        manifest = order.manifest
        if manifest.remote is None:
            raise ModelRefused("A remote model needs [remote] in its manifest.")
        server = Server(manifest.remote, "/v1/models/{model}:predict")

        def ask(rows: FloatArray) -> FloatArray:
            answer = server.post({"instances": raw_values(manifest.features, rows)})
            values = _by_class(answer.get("predictions"), manifest, server.where)
            return as_matrix(values, len(rows), max(1, len(manifest.classes)), server.where)

        return opened(in_batches(ask), order, "KServe", "V1")


def _by_class(predictions: Any, manifest: Manifest, where: str) -> Any:
    """Objects by class name turned into lists in the manifest's order; anything else as it is."""
    if not isinstance(predictions, list) or not predictions or not isinstance(predictions[0], dict):
        return predictions
    try:
        return [[row[c] for c in manifest.classes] for row in predictions]
    except (KeyError, TypeError) as error:
        raise ModelFailed(f"{where} answered probabilities by name without class {error}.") from None


FORMAT = KServeV1()
