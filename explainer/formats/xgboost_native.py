"""XGBoost models in JSON or UBJ files, fed with coded rows: categories by their position in the schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from explainer.attribution.model import Link, OpenedModel
from explainer.errors import ModelRefused, Problem
from explainer.formats import xgboost_file
from explainer.formats.classifier import by_margin
from explainer.formats.sizes import too_large
from explainer.formats.structure import inside
from explainer.formats.structure.pipeline import proving_rows
from explainer.formats.unfit import UnfitError
from explainer.records import FloatArray, LoadOrder, Manifest

MAX_BYTES = 512 << 20
_CLASSIFIERS: dict[str, Link] = {
    "binary:logistic": "logistic",
    "binary:logitraw": "logistic",
    "reg:logistic": "logistic",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
}


class XGBoostNative:
    name: ClassVar[str] = "xgboost"
    summary: ClassVar[str] = "XGBoost boosters saved by save_model, JSON or UBJ; the file is checked before it is read."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        if found := too_large(path, MAX_BYTES):
            return found
        try:
            document = xgboost_file.read(path.read_bytes())
        except UnfitError as unfit:
            return [unfit.problem]
        found = xgboost_file.problems(document, manifest)
        if found or manifest.task == "regression":
            return found
        objective = document["learner"]["objective"]["name"]
        if objective in _CLASSIFIERS:
            return []
        detail = f"The objective '{objective}' gives no probabilities; train with binary:logistic or multi:softprob."
        return [Problem("model.task", "objective", detail)]

    def open(self, order: LoadOrder) -> OpenedModel:
        import xgboost

        data = order.model_path.read_bytes()
        objective = str(xgboost_file.read(data)["learner"]["objective"]["name"])
        try:
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(data))
            booster = as_fitted(booster)
        except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
            raise ModelRefused(f"XGBoost cannot read the model: {error}") from error
        return open_booster(booster, objective, order)


def as_fitted(booster: Any) -> Any:
    """The booster up to its best round where early stopping found one, as XGBClassifier predicts; on one thread."""
    best = booster.attr("best_iteration")
    if best is not None and int(best) + 1 < booster.num_boosted_rounds():
        booster = booster[: int(best) + 1]
    booster.set_param({"nthread": 1})
    return booster


def open_booster(booster: Any, objective: str, order: LoadOrder) -> OpenedModel:
    """Probabilities are the float64 link of the library's float32 margin: equal to its own within 1e-7."""
    import xgboost

    manifest = order.manifest
    margin = _asked(booster, "margin", manifest)
    if manifest.task == "classification":
        link = _CLASSIFIERS[objective]
        model = by_margin(margin, link, manifest, "xgboost", xgboost.__version__)
    else:
        model = OpenedModel(_asked(booster, "value", manifest), "regression", 1, "xgboost", xgboost.__version__)
    return inside.reveal(model, booster, margin, proving_rows(order.background, manifest.features))


def _asked(booster: Any, kind: str, manifest: Manifest) -> Callable[[FloatArray], FloatArray]:
    linear = '"name":"gblinear"' in booster.save_config().replace(" ", "")
    types = ["c" if f.type == "category" else "q" for f in manifest.features]

    def answer(rows: FloatArray) -> FloatArray:
        if linear:  # it knows no prediction in place
            import xgboost

            given = xgboost.DMatrix(rows, feature_types=types, nthread=1, feature_names=booster.feature_names)
            found = booster.predict(given, output_margin=kind == "margin", strict_shape=True)
        else:
            found = booster.inplace_predict(rows, predict_type=kind, strict_shape=True)
        return np.asarray(found, dtype=np.float64).reshape(len(rows), -1)

    return answer


FORMAT = XGBoostNative()
