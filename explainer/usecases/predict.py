"""What does the model say? Predictions without explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainer.access.permissions import Permission
from explainer.disclosure.levels import Policy
from explainer.records import FloatArray, Manifest, ModelVersion, Notice
from explainer.registry.rows import code_rows
from explainer.usecases.deciding import outcome_of, score_of
from explainer.usecases.explain import check_count
from explainer.usecases.guarding import charged, policy
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
    """Predict every row and say what is strange about it.

    Raises RequestRefused, ModelFailed, NotReady, Overloaded, StorageFailed.
    """
    with recorded(rooms.ledger, caller, "prediction:create", model=model) as note:
        rooms.access.require(caller.principal, Permission.PREDICTION_CREATE, model)
        version = rooms.registry.serve(model, version_name)
        note["version"], note["digest"] = version.manifest.version, version.digest
        check_count(instances, rooms.settings.max_rows)
        rows = code_rows(version.manifest.features, instances)
        note["rows"] = len(rows)
        serving.opened(version)
        shows = policy(rooms, caller, model)
        charged(rooms, caller, version, rows)
        outputs = rooms.workers.predict(version.digest, rows, caller.asking())
        rooms.extraction.predicted(caller.principal, version, rows, outputs)
        strange = rooms.registry.unlike(version, rows)
        rooms.meters.warned(model, [notice.code for found in strange for notice in found])
        items = [told(version.manifest, row, shows) for row in outputs]
        return Predicted(version, [item | _warned(found) for item, found in zip(items, strange, strict=True)])


def _warned(found: tuple[Notice, ...]) -> dict[str, Any]:
    """As explanations tell them: they name features, never values, so every policy shows them."""
    return {"warnings": [{"code": notice.code, "detail": notice.detail} for notice in found]}


def told(manifest: Manifest, outputs: FloatArray, shows: Policy) -> dict[str, Any]:
    """One row's output as the policy shows it; where no score is shown, what is decided or foretold remains."""
    words = prediction_words(manifest, outputs)
    if shows.prediction == "full":
        return words
    if shows.prediction == "rounded":
        short = {name: float(f"{p:.2f}") for name, p in words.get("probabilities", {}).items()}
        rounded = (
            {"prediction": short[words["class"]], "probabilities": short}
            if short
            else {"prediction": float(f"{words['prediction']:.2g}")}
        )
        return {**words, **rounded, "withheld": [{"what": "prediction", "detail": "it is rounded to two digits"}]}
    kept: dict[str, Any] = {name: words[name] for name in ("output", "decision") if name in words}
    if manifest.task == "classification" and "decision" not in kept:
        kept["class"] = manifest.classes[int(outputs.argmax())]
    return {**kept, "prediction": None, "withheld": [{"what": "prediction", "detail": "it is not shown to this role"}]}


def prediction_words(manifest: Manifest, outputs: FloatArray) -> dict[str, Any]:
    """One row of model outputs as names and numbers: a value, or probabilities with the decision they lead to."""
    score = score_of(manifest, outputs)
    words: dict[str, Any] = {"prediction": score, "output": "raw"}
    if manifest.task == "classification":
        probabilities = dict(zip(manifest.classes, outputs.tolist(), strict=True))
        leading = manifest.positive_class or max(probabilities, key=probabilities.__getitem__)
        words |= {"output": "probability", "class": leading, "probabilities": probabilities}
    if manifest.decision is not None:
        words["decision"] = outcome_of(manifest.decision, score)
    return words
