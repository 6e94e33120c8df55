"""The service most people would write: Flask, shap and lime, every explainer made once when the process starts.

It opens the same model files with the same background and answers the same rows. As is usual, a pipeline is taken
apart: rows are transformed first, the one-hot columns are explained, and a feature gets the sum of its columns.
`TreeExplainer` against a background refuses XGBoost's categories ("Categorical split is not yet supported"), so that
model is explained by permutation in probability and path-dependently, without a background, in log-odds.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lime.lime_tabular
import numpy as np
import pandas as pd
import shap
import skops.io
import xgboost
from flask import Flask, Response, jsonify, request

Row = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]
Answer = dict[str, Any]
Way = Callable[[Row], Answer]
CLASS = 0  # scikit-learn sorts the classes: bad, good


class Given:
    """A model folder as anyone would read it."""

    def __init__(self, folder: Path) -> None:
        manifest = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))
        self.features = manifest["features"]
        self.names = [f["name"] for f in self.features]
        self.file = folder / manifest["model"]["file"]
        kinds = {f["name"]: str for f in self.features if f["type"] == "category"}
        self.background = pd.read_csv(folder / manifest["background"]["file"], dtype=kinds)

    def pipeline(self) -> Any:
        return skops.io.load(self.file, trusted=skops.io.get_untrusted_types(file=self.file))

    def code(self, frame: pd.DataFrame) -> Array:
        """Categories by their position."""
        return np.column_stack(
            [
                pd.Categorical(frame[f["name"]], categories=f["categories"]).codes
                if f["type"] == "category"
                else frame[f["name"]]
                for f in self.features
            ]
        ).astype(float)

    def decode(self, rows: Array) -> pd.DataFrame:
        return pd.DataFrame(
            {
                f["name"]: np.array(f["categories"], dtype=object)[rows[:, j].astype(int)]
                if f["type"] == "category"
                else rows[:, j]
                for j, f in enumerate(self.features)
            }
        )

    def answer(self, values: Array, expected: float, prediction: float) -> Answer:
        return {
            "prediction": float(prediction),
            "expected_value": float(expected),
            "attributions": [
                {"feature": name, "attribution": float(value)} for name, value in zip(self.names, values, strict=True)
            ],
        }


class Apart:
    """A pipeline taken apart: what transforms, what predicts, and which feature owns each column."""

    def __init__(self, given: Given) -> None:
        pipeline = given.pipeline()
        self.given, self.transform, self.model = given, pipeline[:-1], pipeline[-1]
        columns = [name.partition("__")[2] for name in self.transform.get_feature_names_out()]
        self.owner = [
            max((len(f), j) for j, f in enumerate(given.names) if c == f or c.startswith(f + "_"))[1] for c in columns
        ]
        self.background = np.asarray(self.transform.transform(given.background))

    def columns(self, row: Row) -> Array:
        return np.asarray(self.transform.transform(pd.DataFrame([row])))

    def summed(self, values: Array) -> Array:
        features = np.zeros(len(self.given.names))
        np.add.at(features, self.owner, np.ravel(values))
        return features


def forest(apart: Apart) -> Way:
    explainer = shap.TreeExplainer(apart.model, apart.background, feature_perturbation="interventional")

    def explain(row: Row) -> Answer:
        columns = apart.columns(row)
        values = explainer.shap_values(columns)
        return apart.given.answer(
            apart.summed(values), float(np.ravel(explainer.expected_value)[0]), apart.model.predict(columns)[0]
        )

    return explain


def boosted(apart: Apart, space: str) -> Way:
    output = "probability" if space == "probability" else "raw"
    explainer = shap.TreeExplainer(
        apart.model, apart.background, feature_perturbation="interventional", model_output=output
    )
    whole = 1.0 if space == "probability" else 0.0

    def explain(row: Row) -> Answer:
        columns = apart.columns(row)
        values = -explainer.shap_values(columns)  # it explains the class good
        p = apart.model.predict_proba(columns)[0, CLASS]
        prediction = p if space == "probability" else np.log(p / (1 - p))
        return apart.given.answer(
            apart.summed(values), whole - float(np.ravel(explainer.expected_value)[0]), prediction
        )

    return explain


def xgboost_ways(given: Given) -> dict[str, Way]:
    booster = xgboost.Booster(model_file=given.file)
    names, types = booster.feature_names, booster.feature_types

    def predict(rows: Array, *, margin: bool = False) -> Array:
        data = xgboost.DMatrix(rows, feature_names=names, feature_types=types, enable_categorical=True)
        return np.asarray(booster.predict(data, output_margin=margin))

    permutation = shap.PermutationExplainer(predict, shap.maskers.Independent(given.code(given.background)))
    paths = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")

    def probability(row: Row) -> Answer:
        found = permutation(given.code(pd.DataFrame([row])), silent=True)
        values, expected = found.values[0], float(np.ravel(found.base_values)[0])
        return given.answer(values, expected, expected + values.sum())

    def log_odds(row: Row) -> Answer:
        coded = given.code(pd.DataFrame([row]))
        values = paths.shap_values(coded)[0]
        return given.answer(values, float(np.ravel(paths.expected_value)[0]), predict(coded, margin=True)[0])

    return {"credit-xgb/probability": probability, "credit-xgb/log_odds": log_odds}


def network_ways(apart: Apart) -> dict[str, Way]:
    def predict(columns: Array) -> Array:
        return np.asarray(apart.model.predict_proba(columns)[:, CLASS])

    kernel = shap.KernelExplainer(predict, apart.background)
    permutation = shap.PermutationExplainer(predict, shap.maskers.Independent(apart.background))

    def by_kernel(row: Row) -> Answer:
        columns = apart.columns(row)
        values = kernel.shap_values(columns, silent=True)
        return apart.given.answer(apart.summed(values), kernel.expected_value, predict(columns)[0])

    def by_permutation(row: Row) -> Answer:
        columns = apart.columns(row)
        found = permutation(columns, silent=True)
        expected = float(np.ravel(found.base_values)[0])
        return apart.given.answer(apart.summed(found.values), expected, predict(columns)[0])

    return {"credit-mlp/kernel": by_kernel, "credit-mlp/permutation": by_permutation}


def lime_way(given: Given) -> Way:
    pipeline = given.pipeline()
    categories = {j: f["categories"] for j, f in enumerate(given.features) if f["type"] == "category"}
    explainer = lime.lime_tabular.LimeTabularExplainer(
        given.code(given.background),
        feature_names=given.names,
        class_names=["bad", "good"],
        categorical_features=list(categories),
        categorical_names=categories,
    )

    def predict(rows: Array) -> Array:
        return np.asarray(pipeline.predict_proba(given.decode(rows)))

    def explain(row: Row) -> Answer:
        coded = given.code(pd.DataFrame([row]))[0]
        found = explainer.explain_instance(coded, predict, labels=(CLASS,), num_features=len(given.names))
        weights = dict(found.local_exp[CLASS])
        values = np.array([weights[j] for j in range(len(given.names))])
        return given.answer(values, found.intercept[CLASS], found.predict_proba[CLASS])

    return explain


def make() -> Flask:
    """The app; `NAIVE_MODELS` names the folder of the demo models."""
    models = Path(os.environ["NAIVE_MODELS"])
    gbm, mlp = Apart(Given(models / "credit-gbm")), Given(models / "credit-mlp")
    ways = {
        "credit-gbm/probability": boosted(gbm, "probability"),
        "credit-gbm/log_odds": boosted(gbm, "log_odds"),
        **xgboost_ways(Given(models / "credit-xgb")),
        **network_ways(Apart(mlp)),
        "credit-mlp/lime": lime_way(mlp),
        "diabetes-forest/raw": forest(Apart(Given(models / "diabetes-forest"))),
    }
    app = Flask(__name__)

    @app.post("/explain/<path:way>")
    def explain(way: str) -> Response:
        return jsonify(explanations=[ways[way](row) for row in request.get_json()["instances"]])

    return app
