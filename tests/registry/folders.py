"""Model folders that tests write: small, whole, and changed at one place by each test."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from explainer.records import (
    BackgroundSpec,
    CardSpec,
    DecisionSpec,
    Feature,
    GoldenSpec,
    Manifest,
    Notice,
    OpenReport,
    Reason,
)
from explainer.registry.digests import bytes_digest
from explainer.registry.manifest import write_manifest

REASON = Reason("speaks for it", "speaks against it")
FEATURES = (
    Feature("amount", "number", min=0.0, max=1000.0, reason=REASON),
    Feature("months", "integer", min=1.0, nullable=True, reason=REASON),
    Feature("purpose", "category", categories=("car", "house", "other"), reason=REASON, protected=True),
    Feature("phone", "boolean", nullable=True, reason=REASON, mutable=False, group="contact"),
)
ROW: dict[str, Any] = {"amount": 12.5, "months": 24, "purpose": "house", "phone": True}
BACKGROUND = "amount,months,purpose,phone\n12.5,24,house,true\n3,,car,0\n"
GOLDEN = {"rows": [ROW], "predictions": [[0.25, 0.75]]}
REPORT = OpenReport("sklearn", "1.9", 2, "none", {"exact": 1}, (Notice("theft", "A linear model is soon copied."),))

FILES: dict[str, bytes] = {
    "model.skops": b"weights",
    "background.csv": BACKGROUND.encode(),
    "golden.json": json.dumps(GOLDEN).encode(),
    "card.md": "# Card\nGrüße.\n".encode(),
}


def manifest(files: dict[str, bytes] = FILES, **changes: Any) -> Manifest:
    """Return the manifest of FILES with some fields changed."""
    whole = Manifest(
        name="credit",
        version="1.0",
        format="sklearn-skops",
        file="model.skops",
        sha256=bytes_digest(files["model.skops"]),
        task="classification",
        classes=("bad", "good"),
        positive_class="bad",
        output="probability",
        features=FEATURES,
        background=BackgroundSpec("background.csv", 2, bytes_digest(files["background.csv"]), "two rows"),
        golden=GoldenSpec("golden.json", bytes_digest(files["golden.json"]), "sklearn", "1.9"),
        card=CardSpec("us", "a test", "nothing", "CC0", "card.md"),
        decision=DecisionSpec(0.5, "granted", "declined"),
    )
    return dataclasses.replace(whole, **changes)


def wide(rows: int = 120) -> tuple[dict[str, bytes], BackgroundSpec]:
    """A background of so many different rows, of which each is ordinary beside the others: files and its record."""
    lines = (
        f"{10 + i % 31 / 2:g},{12 + i % 24},{'house' if i % 3 else 'car'},{'true' if i % 2 else 'false'}"
        for i in range(rows)
    )
    data = "\n".join([BACKGROUND.partition("\n")[0], *lines, ""]).encode()
    return {"background.csv": data}, BackgroundSpec("background.csv", rows, bytes_digest(data), "many rows")


def write_folder(folder: Path, files: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """Write a model folder whose checksums fit its files; `changes` are fields of the manifest."""
    present = {**FILES, **(files or {})}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in present.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.toml").write_text(write_manifest(manifest(present, **changes)), encoding="utf-8")
    return folder
