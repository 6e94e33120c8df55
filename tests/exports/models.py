"""A small model for exports: as a fake that adds up, and as a real registered forest that workers open."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from explainer.attribution.batch import Batch
from explainer.errors import ModelFailed
from explainer.records import (
    BackgroundSpec,
    CardSpec,
    DecisionSpec,
    Feature,
    FloatArray,
    GoldenSpec,
    Manifest,
    ModelVersion,
    OpenReport,
)
from explainer.registry.digests import bytes_digest
from explainer.registry.manifest import write_manifest
from explainer.registry.store import Registry
from explainer.settings import Settings

PURPOSES = ("car", "house, or flat", 'a "thing"', "Möbel")
FEATURES = (
    Feature("amount", "number", min=0.0, max=100_000.0),
    Feature("months", "integer", min=1.0, max=120.0),
    Feature("purpose", "category", categories=PURPOSES),
)
HEADER = "id,amount,months,purpose"


class Additive:
    """prediction = 0.2 + 0.3 amount / 1000 + 0.05 purpose; fails for an amount of 666."""

    def __init__(self, manifest: Manifest | None = None) -> None:
        self.manifest = manifest or manifest_of("0" * 64)
        self.explained = 0

    def predict(self, rows: FloatArray) -> FloatArray:
        p = 0.2 + self._parts(rows).sum(axis=1)
        return np.stack([1 - p, p], axis=1)

    def explain(self, rows: FloatArray) -> Batch:
        if (rows[:, 0] == 666).any():
            raise ModelFailed("The model does not like 666.")
        self.explained += len(rows)
        n, parts = len(rows), self._parts(rows)[:, :, None]
        ones = np.ones((n, 1))
        return Batch(
            space="probability",
            labels=("good", "bad"),
            outputs=np.ones((n, 1), dtype=np.int64),
            predictions=0.2 + parts.sum(axis=1),
            expected=0.2 * ones,
            values=parts,
            errors=np.zeros(parts.shape),
            gaps=0.0 * ones,
            evaluations=np.full(n, 8),
            seeds=np.full(n, -1),
            exact=np.ones(n, dtype=np.bool_),
            methods=("exact",),
            method=np.zeros(n, dtype=np.int64),
            r2=np.full((n, 1), np.nan),
        )

    def _parts(self, rows: FloatArray) -> FloatArray:
        return np.stack([0.3 * rows[:, 0] / 1000, 0.0 * rows[:, 1], 0.05 * rows[:, 2]], axis=1)


def manifest_of(sha256: str, golden: str = "0" * 64, background: str = "0" * 64, rows: int = 1) -> Manifest:
    return Manifest(
        name="credit",
        version="1.0",
        format="sklearn-skops",
        file="model.skops",
        sha256=sha256,
        task="classification",
        classes=("good", "bad"),
        positive_class="bad",
        output="log_odds",
        features=FEATURES,
        background=BackgroundSpec("background.csv", rows, background, "drawn at random"),
        golden=GoldenSpec("golden.json", golden, "scikit-learn", "1"),
        card=CardSpec("us", "a test", "nothing", "CC0", "card.md"),
        decision=DecisionSpec(0.5, "granted", "declined"),
    )


def drawn(count: int, seed: int = 0) -> list[tuple[float, int, str]]:
    """Rows that fit."""
    random = np.random.default_rng(seed)
    amounts = random.integers(1, 90_000, count).tolist()
    months = random.integers(1, 121, count).tolist()
    purposes = random.integers(0, len(PURPOSES), count).tolist()
    return [(a / 2, m, PURPOSES[p]) for a, m, p in zip(amounts, months, purposes, strict=True)]


def csv_of(rows: list[tuple[float, int, str]]) -> str:
    """The rows as CSV with a number in front, one in a thousand of them bad."""
    lines = [HEADER]
    for i, (amount, months, purpose) in enumerate(rows):
        quoted = '"' + purpose.replace('"', '""') + '"'
        lines.append(f"{i},{amount},{'many' if i % 1000 == 999 else months},{quoted}")
    return "\n".join(lines) + "\n"


def register(folder: Path, background: int = 30) -> tuple[Settings, ModelVersion]:
    """Train a small forest, register it under `folder/registry`, and return the settings that find it."""
    import pandas
    import skops.io
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pandas.DataFrame(drawn(400, seed=1), columns=[f.name for f in FEATURES])
    large = frame["amount"] / 45_000 + frame["months"] / 240 > 0.8
    target = np.where(large ^ (frame["purpose"] == "car"), "bad", "good")
    encoder = OneHotEncoder(categories=[list(PURPOSES)])
    columns = ColumnTransformer([("c", encoder, ["purpose"])], remainder="passthrough")
    model = Pipeline([("columns", columns), ("trees", GradientBoostingClassifier(n_estimators=8, random_state=0))])
    model.fit(frame, target)
    order = [list(model.classes_).index(name) for name in ("good", "bad")]
    golden = frame.head(5)
    return _registered(
        folder,
        {
            "model.skops": skops.io.dumps(model),
            "background.csv": frame.head(background).to_csv(index=False).encode(),
            "golden.json": json.dumps(
                {
                    "rows": golden.to_dict("records"),
                    "predictions": model.predict_proba(golden)[:, order].tolist(),
                }
            ).encode(),
            "card.md": b"# Card\n",
        },
        background,
    )


def _registered(folder: Path, files: dict[str, bytes], background: int) -> tuple[Settings, ModelVersion]:
    source = folder / "source"
    source.mkdir(parents=True)
    for name, data in files.items():
        (source / name).write_bytes(data)
    digests = [bytes_digest(files[name]) for name in ("model.skops", "golden.json", "background.csv")]
    (source / "manifest.toml").write_text(write_manifest(manifest_of(*digests, rows=background)), encoding="utf-8")
    settings = Settings(var=folder / "var", registry=folder / "registry")
    settings.var.mkdir(parents=True, mode=0o700)
    registry = Registry(settings)
    report = OpenReport("sklearn", "1", 2, "trees", {"tree": 1, "exact": 1, "permutation": 1, "lime": 1})
    return settings, registry.admit(registry.check(source), report)
