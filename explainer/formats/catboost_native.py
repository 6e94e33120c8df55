"""CatBoost models in its binary form or its JSON export, fed with numbers and category labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from explainer.attribution.model import Link, OpenedModel
from explainer.errors import ModelFailed, ModelRefused, Problem
from explainer.formats import catboost_file
from explainer.formats.classifier import by_margin, class_order, reordered
from explainer.formats.frames import code_numbers
from explainer.formats.sizes import too_large
from explainer.formats.structure import inside
from explainer.formats.structure.pipeline import proving_rows
from explainer.records import FloatArray, LoadOrder, Manifest

MAX_BYTES = 512 << 20
MISSING = "nan"  # CatBoost takes categories as text only; this is how pandas users most often write a missing one
_LINKS: dict[str, Link] = {"Logloss": "logistic", "CrossEntropy": "logistic", "MultiClass": "softmax"}


class CatBoostNative:
    name: ClassVar[str] = "catboost"
    summary: ClassVar[str] = "CatBoost models saved as cbm or JSON; a missing category is the text 'nan'."
    needs_signature: ClassVar[bool] = False
    remote: ClassVar[bool] = False

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        return too_large(path, MAX_BYTES) or catboost_file.inspect(path, manifest)

    def open(self, order: LoadOrder) -> OpenedModel:
        import catboost

        with order.model_path.open("rb") as file:
            form: Literal["json", "cbm"] = "json" if file.read(1) == b"{" else "cbm"
        model = catboost.CatBoost()
        try:
            model.load_model(str(order.model_path), format=form)
            return _opened(model, order)
        except (catboost.CatBoostError, ValueError, KeyError, TypeError) as error:
            raise ModelRefused(f"CatBoost cannot read the model: {error}") from error


def _opened(model: Any, order: LoadOrder) -> OpenedModel:
    import catboost

    manifest = order.manifest
    _refuse_unfit(model, manifest)
    feed = _feed(model, manifest)

    def asked(kind: str) -> Callable[[FloatArray], FloatArray]:
        def answer(rows: FloatArray) -> FloatArray:
            try:
                found = model.predict(feed(rows), prediction_type=kind, thread_count=1)
            except catboost.CatBoostError as error:
                raise ModelFailed(f"CatBoost refuses the rows: {error}") from error
            return np.asarray(found, dtype=np.float64).reshape(len(rows), -1)

        return answer

    margin = asked("RawFormulaVal")
    if manifest.task == "regression":
        values = asked("Exponent" if _loss(model) in ("Poisson", "Tweedie") else "RawFormulaVal")
        opened = OpenedModel(values, "regression", 1, "catboost", catboost.__version__)
        return inside.reveal(opened, model, margin, proving_rows(order.background, manifest.features))
    link = _LINKS.get(_loss(model))
    if link is None:
        classes = len(model.classes_)
        opened = OpenedModel(asked("Probability"), "classification", classes, "catboost", catboost.__version__)
    else:
        opened = by_margin(margin, link, manifest, "catboost", catboost.__version__)
    opened = inside.reveal(opened, model, margin, proving_rows(order.background, manifest.features))
    return reordered(opened, class_order(list(model.classes_), manifest))


def _loss(model: Any) -> str:
    return str(model.get_all_params().get("loss_function", "")).partition(":")[0]


def _refuse_unfit(model: Any, manifest: Manifest) -> None:
    names, schema = list(model.feature_names_), [f.name for f in manifest.features]
    if len(names) != len(schema):
        raise ModelRefused(f"The model takes {len(names)} features, the schema describes {len(schema)}.")
    if names not in (schema, [str(i) for i in range(len(names))]):
        raise ModelRefused(f"The model's columns are {names}, the schema's are {schema}.")
    labelled = set(model.get_cat_feature_indices())
    for i, feature in enumerate(manifest.features):
        if (i in labelled) != (feature.type == "category"):
            taken = "a category" if i in labelled else "a number"
            raise ModelRefused(f"The model takes '{feature.name}' as {taken}; the schema says {feature.type}.")
    if model.get_text_feature_indices() or model.get_embedding_feature_indices():
        raise ModelRefused("The model takes text or embeddings, which a schema cannot describe.")


def _feed(model: Any, manifest: Manifest) -> Callable[[FloatArray], Any]:
    """Numbers as they are, or one object matrix with labels where the model has categories."""
    tables = {
        i: np.array([*f.categories, MISSING], dtype=object)
        for i, f in enumerate(manifest.features)
        if f.type == "category"
    }
    if not tables:
        return lambda rows: rows

    def feed(rows: FloatArray) -> Any:
        made = rows.astype(object)
        for i, table in tables.items():
            made[:, i] = table[code_numbers(rows[:, i], len(table) - 1)]
        return made

    return feed


FORMAT = CatBoostNative()
