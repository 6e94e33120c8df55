"""The two data sets of the demonstration as coded rows, each with its schema and a fixed split."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from explainer.attribution.model import IntArray
from explainer.records import Feature, FloatArray, Reason

SPLIT_SEED = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """Coded rows (n, features) and target (n,), split once into disjoint `train` and `test` row numbers."""

    name: str
    features: tuple[Feature, ...]
    rows: FloatArray
    target: FloatArray
    train: IntArray
    test: IntArray
    license: str
    source: str

    def position(self, feature: str) -> int:
        return [f.name for f in self.features].index(feature)


def german_credit() -> Dataset:
    """Statlog German credit with corrected codes; the target is 1 for a bad loan, `case` is left out (an id)."""
    features, _ = _schema("german_credit")
    text = (files("explainer.demo") / "data/german_credit/credit.csv").read_text(encoding="utf-8")
    records = list(csv.DictReader(text.splitlines()))
    rows = np.array([[code(f, record[f.name]) for f in features] for record in records])
    target = np.array([float(record["credit_risk"] == "bad") for record in records])
    train, test = split(target, test_share=0.25)
    return Dataset(
        "german_credit",
        features,
        rows,
        target,
        train,
        test,
        license="CC BY 4.0",
        source="Statlog German Credit Data (H. Hofmann, UCI, 1994), with the meanings of its codes corrected after "
        "South German Credit (U. Grömping, UCI, 2019)",
    )


def diabetes() -> Dataset:
    """The diabetes data that scikit-learn ships, in the units of the source (Efron et al. 2004)."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    features, columns = _schema("diabetes")
    taken = np.asarray(bunch.data, dtype=np.float64)[:, [bunch.feature_names.index(c) for c in columns]]
    rows = np.column_stack([_recode(f, taken[:, i]) for i, f in enumerate(features)])
    target = np.asarray(bunch.target, dtype=np.float64)
    train, test = split(np.zeros(len(target)), test_share=0.25)
    return Dataset(
        "diabetes",
        features,
        rows,
        target,
        train,
        test,
        license="BSD-3-Clause, with scikit-learn, which ships the data",
        source="442 patients of Efron, Hastie, Johnstone and Tibshirani, 'Least Angle Regression', "
        "Annals of Statistics 32 (2004)",
    )


def split(strata: FloatArray, *, test_share: float, seed: int = SPLIT_SEED) -> tuple[IntArray, IntArray]:
    """Sorted row numbers for training and test, drawn at random with the same share in every stratum."""
    everyone = np.arange(len(strata))
    test = draw(strata, everyone, round(test_share * len(strata)), seed)
    return np.setdiff1d(everyone, test), test


def draw(strata: FloatArray, among: IntArray, count: int, seed: int) -> IntArray:
    """`count` of the row numbers `among`, sorted, with the share of every stratum kept as nearly as whole rows can."""
    rng = np.random.default_rng(seed)
    groups = [rng.permutation(among[strata[among] == stratum]) for stratum in np.unique(strata[among])]
    wanted = np.array([count * len(group) / len(among) for group in groups])
    taken = np.floor(wanted).astype(int)
    nearest_to_one_more = np.argsort(taken - wanted, kind="stable")
    taken[nearest_to_one_more[: count - taken.sum()]] += 1
    return np.sort(np.concatenate([group[:n] for group, n in zip(groups, taken, strict=True)]))


def code(feature: Feature, value: str) -> float:
    """The coded form of one value; an unknown category raises ValueError."""
    return float(feature.categories.index(value)) if feature.type == "category" else float(value)


def _recode(feature: Feature, column: FloatArray) -> FloatArray:
    if feature.type != "category":
        return column
    return np.array([code(feature, f"{value:g}") for value in column])


def _schema(dataset: str) -> tuple[tuple[Feature, ...], list[str]]:
    text = (files("explainer.demo") / f"data/{dataset}/features.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["features"]
    return tuple(_feature(entry) for entry in entries), [e.get("column", e["name"]) for e in entries]


def _feature(entry: dict[str, Any]) -> Feature:
    known = {key: value for key, value in entry.items() if key not in {"column", "reason", "categories"}}
    return Feature(**known, categories=tuple(entry.get("categories", ())), reason=Reason(**entry["reason"]))
