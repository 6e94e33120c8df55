"""Builds one model's folder: trained, measured, described, and moved into place when it is complete."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from explainer.demo.card import write_card
from explainer.demo.datasets import Dataset, draw
from explainer.demo.recipe import MODEL_LICENSE, OWNER, VERSION, Recipe, Trained
from explainer.records import BackgroundSpec, CardSpec, FloatArray, GoldenSpec, Manifest
from explainer.registry.digests import file_digest
from explainer.registry.manifest import write_manifest
from explainer.registry.rows import uncode_rows

BACKGROUND_ROWS, BACKGROUND_SEED = 100, 1
SAMPLE_ROWS, SAMPLE_SEED = 25, 2
GOLDEN_ROWS, GOLDEN_SEED = 20, 3


def build_folder(recipe: Recipe, destination: Path) -> Path:
    """Write `destination/<name>`, replacing what is there; until it is complete it has another name."""
    destination.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=destination))
    try:
        _fill(partial, recipe)
        partial.chmod(0o755)
        final = destination / recipe.name
        if final.exists():
            shutil.rmtree(final)
        return partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # gone already where all went well


def _fill(folder: Path, recipe: Recipe) -> None:
    data = recipe.dataset()
    trained = recipe.train(data)
    strata = data.target if recipe.classes else np.zeros(len(data.target))
    background = draw(strata, data.train, BACKGROUND_ROWS, BACKGROUND_SEED)
    samples = draw(strata, data.test, SAMPLE_ROWS, SAMPLE_SEED)
    golden = data.rows[draw(strata, data.test, GOLDEN_ROWS, GOLDEN_SEED)]
    trained.save(folder / recipe.file)
    _write_rows(folder / "background.csv", data, data.rows[background])
    _write_rows(folder / "samples.csv", data, data.rows[samples])
    _write_golden(folder / "golden.json", data, golden, trained.predict(golden))
    (folder / "card.md").write_text(write_card(recipe, data, trained), encoding="utf-8")
    manifest = _manifest(folder, recipe, data, trained)
    (folder / "manifest.toml").write_text(write_manifest(manifest), encoding="utf-8")


def _manifest(folder: Path, recipe: Recipe, data: Dataset, trained: Trained) -> Manifest:
    kept = ", in the proportion of good and bad loans that all training rows have" if recipe.classes else ""
    return Manifest(
        name=recipe.name,
        version=VERSION,
        format=recipe.format,
        file=recipe.file,
        sha256=file_digest(folder / recipe.file),
        task=recipe.task,
        classes=recipe.classes,
        positive_class=recipe.positive_class,
        output=recipe.output,
        features=data.features,
        background=BackgroundSpec(
            file="background.csv",
            rows=BACKGROUND_ROWS,
            sha256=file_digest(folder / "background.csv"),
            description=f"{BACKGROUND_ROWS} of the {len(data.train)} training rows, drawn at random{kept}.",
        ),
        golden=GoldenSpec(
            "golden.json", file_digest(folder / "golden.json"), library=recipe.library, version=trained.library_version
        ),
        card=CardSpec(
            owner=OWNER,
            purpose=recipe.purpose,
            trained_on=f"{data.source}; {len(data.train)} training and {len(data.test)} test rows.",
            license=f"{MODEL_LICENSE} (model); {data.license} (data)",
            file="card.md",
        ),
        decision=recipe.decision,
    )


def _write_rows(path: Path, data: Dataset, rows: FloatArray) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [f.name for f in data.features], lineterminator="\n")
        writer.writeheader()
        writer.writerows(uncode_rows(data.features, rows))


def _write_golden(path: Path, data: Dataset, rows: FloatArray, predictions: FloatArray) -> None:
    content = {"rows": uncode_rows(data.features, rows), "predictions": predictions.tolist()}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
