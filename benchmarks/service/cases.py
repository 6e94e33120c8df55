"""What is asked: demo models, settings, and how a naive service is asked for the same."""

from __future__ import annotations

import csv
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service.client import SEED

Row = dict[str, Any]
KINDS = {"number": float, "integer": int, "category": str}


@dataclass(frozen=True, slots=True)
class Case:
    """A model with the settings of a request; `rivals` maps a naive service's path to what it does there."""

    name: str
    model: str
    settings: dict[str, str]
    rivals: dict[str, str]
    additive: bool = True

    @property
    def quick(self) -> bool:
        """Whether a quick run includes it; PermutationExplainer takes long over XGBoost."""
        return self.settings.get("output") != "log_odds" and self.model != "credit-xgb"


CASES = (
    Case(
        "credit-gbm, probability",
        "credit-gbm",
        {"output": "probability"},
        {"credit-gbm/probability": "TreeExplainer, 67 one-hot columns"},
    ),
    Case(
        "credit-gbm, log-odds",
        "credit-gbm",
        {"output": "log_odds"},
        {"credit-gbm/log_odds": "TreeExplainer, 67 one-hot columns"},
    ),
    Case(
        "credit-xgb, probability",
        "credit-xgb",
        {"output": "probability"},
        {"credit-xgb/probability": "PermutationExplainer"},
    ),
    Case(
        "credit-xgb, log-odds",
        "credit-xgb",
        {"output": "log_odds"},
        {"credit-xgb/log_odds": "TreeExplainer, path-dependent"},
    ),
    Case(
        "credit-mlp, probability",
        "credit-mlp",
        {},
        {
            "credit-mlp/kernel": "KernelExplainer, one-hot columns",
            "credit-mlp/permutation": "PermutationExplainer, one-hot c.",
        },
    ),
    Case("credit-mlp, LIME", "credit-mlp", {"method": "lime"}, {"credit-mlp/lime": "lime"}, additive=False),
    Case("diabetes-forest", "diabetes-forest", {}, {"diabetes-forest/raw": "TreeExplainer, 11 columns"}),
)


def sample_rows(folder: Path) -> list[Row]:
    """The rows of a model's samples.csv as JSON values."""
    features = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))["features"]
    with (folder / "samples.csv").open(newline="", encoding="utf-8") as file:
        return [{f["name"]: KINDS[f["type"]](cells[f["name"]]) for f in features} for cells in csv.DictReader(file)]


def body(row: Row, settings: dict[str, str], *, fresh: bool = False) -> str:
    """One row a request; `fresh`: with a seed that the client makes a new one each time, so never a cached answer."""
    text = json.dumps({"instances": [row], **settings})
    return f'{text[:-1]}, "seed": {SEED.decode()}}}' if fresh else text
