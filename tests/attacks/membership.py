"""Was this row in the training data? An attacker asks for its explanation and guesses.

`python -m tests.attacks.membership FOLDER` attacks the demo models in FOLDER, whose training rows are known, and prints
what docs/explanation/privacy.md says. Shokri, Strobel and Zick 2021 ("On the Privacy Risks of Model Explanations",
AIES) guess from the variance of an explanation; an attacker who has learnt from rows whose membership is known is
stronger.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from explainer.demo.datasets import Dataset, diabetes, german_credit
from explainer.records import ExplainOptions, Explanation, FloatArray
from explainer.registry.candidate import check_folder
from explainer.workers.opening import ServedVersion, open_version

SPLITS = 10
MOST = 250  # rows of each side


def signals(told: list[Explanation], labels: FloatArray) -> dict[str, FloatArray]:
    """What an attacker makes of answers (n,) about rows whose label is known: larger where membership is likelier."""
    predictions = np.array([e.prediction for e in told])
    parts = np.array([e.attributions for e in told])
    return {
        "error": -np.abs(predictions - labels),
        "confidence": np.abs(predictions - np.median(predictions)),
        "variance of the attributions": parts.var(axis=1),
        "sum of their sizes": np.abs(parts).sum(axis=1),
    }


def guessed(served: ServedVersion, data: Dataset, splits: int = SPLITS) -> dict[str, float]:
    """The area under the curve of each guess: 0.5 is chance, 1 is certainty; `learnt` ones are means over `splits`."""
    random = np.random.default_rng(0)
    sides = [random.permutation(side)[:MOST] for side in (data.train, data.test)]
    count = min(map(len, sides))
    rows, labels = (np.concatenate([field[side[:count]] for side in sides]) for field in (data.rows, data.target))
    member = np.repeat([1, 0], count)
    told = [answers[0] for answers in served.explain(rows, ExplainOptions())]
    found = {name: float(roc_auc_score(member, guess)) for name, guess in signals(told, labels).items()}
    score = np.column_stack([[e.prediction for e in told], labels])
    parts = np.array([e.attributions for e in told])
    plain = np.column_stack([score, rows])
    found["learnt from rows and predictions"] = _learnt(plain, member, splits)
    found["learnt from rows, predictions and attributions"] = _learnt(np.column_stack([plain, parts]), member, splits)
    return found


def _learnt(known: FloatArray, member: FloatArray, splits: int) -> float:
    """An attacker who knows of half of the rows whether they were members guesses about the other half."""
    areas = []
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(member))
        half = len(order) // 2
        forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=split, n_jobs=1)
        forest.fit(known[order[:half]], member[order[:half]])
        areas.append(roc_auc_score(member[order[half:]], forest.predict_proba(known[order[half:]])[:, 1]))
    return float(np.mean(areas))


def main(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        served = open_version(check_folder(path, None).order())
        data = german_credit() if served.manifest.task == "classification" else diabetes()
        for name, area in guessed(served, data).items():
            sys.stdout.write(f"{path.name:18} {name:50} {area:.3f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
