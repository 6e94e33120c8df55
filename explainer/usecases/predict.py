"""What does the model say? Predictions without explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.permissions import Permission
from explainer.records import FloatArray, Manifest, ModelVersion
from explainer.registry.rows import code_rows
from explainer.usecases.explain import check_count
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.serving import Served


@dataclass(frozen=True, slots=True)
class Predicted:
    version: ModelVersion
    items: list[dict[str, Any]]


def predict(
    rooms: Rooms, serving: Served, caller: Caller, model: str, version_name: str | None, instances: Any
) -> Predicted:
    """Predict every row; raises RequestRefused, ModelFailed, NotReady, Overloaded, StorageFailed."""
    with recorded(rooms.ledger, caller, "prediction:create", model=model) as note:
        rooms.access.require(caller.principal, Permission.PREDICTION_CREATE, model)
        version = rooms.registry.serve(model, version_name)
        note["version"], note["digest"] = version.manifest.version, version.digest
        check_count(instances, rooms.settings.max_rows)
        rows = code_rows(version.manifest.features, instances)
        note["rows"] = len(rows)
        serving.opened(version)
        outputs = rooms.workers.predict(version.digest, rows, caller.asking())
        return Predicted(version, [prediction_words(version.manifest, row) for row in outputs])


def prediction_words(manifest: Manifest, outputs: FloatArray) -> dict[str, Any]:
    """One row of model outputs as names and numbers: a value, or probabilities with the decision they lead to."""
    if manifest.task == "regression":
        return {"prediction": float(outputs[0]), "output": "raw"}
    probabilities = dict(zip(manifest.classes, outputs.tolist(), strict=True))
    leading = manifest.positive_class or max(probabilities, key=probabilities.__getitem__)
    words: dict[str, Any] = {
        "prediction": probabilities[leading],
        "output": "probability",
        "class": leading,
        "probabilities": probabilities,
    }
    if manifest.decision is not None:
        adverse = probabilities[leading] >= manifest.decision.threshold
        words["decision"] = manifest.decision.adverse if adverse else manifest.decision.favourable
    return words
