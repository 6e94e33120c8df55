"""The script most people would write: shap.TreeExplainer over chunks of a table, in joblib.

`python -m benchmarks.batch.naive MODEL_FOLDER ROWS.csv OUT.parquet ROWS`. The same model, the same background
(interventional), the same rows; as is usual the pipeline is taken apart, and a feature gets the sum of
its one-hot columns.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import shap

from benchmarks.service.naive import Apart, Given

CHUNK = 2000
_made: dict[str, Any] = {}


def explained(folder: str, frame: pd.DataFrame) -> pd.DataFrame:
    if folder not in _made:
        apart = Apart(Given(Path(folder)))
        _made[folder] = apart, shap.TreeExplainer(apart.model, apart.background, feature_perturbation="interventional")
    apart, explainer = _made[folder]
    columns = np.asarray(apart.transform.transform(frame[apart.given.names]))
    values = -explainer.shap_values(columns)  # it explains the class good
    summed = np.zeros((len(frame), len(apart.given.names)))
    np.add.at(summed.T, apart.owner, values.T)
    found = frame.assign(prediction=-np.log(1 / apart.model.predict_proba(columns)[:, 0] - 1))
    for j, name in enumerate(apart.given.names):
        found[f"attribution.{name}"] = summed[:, j]
    return found


def main() -> None:
    folder, source, target, rows = sys.argv[1:]
    kinds = {f["name"]: str for f in Given(Path(folder)).features if f["type"] == "category"}
    frame = pd.read_csv(source, dtype=kinds, nrows=int(rows))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parts = joblib.Parallel(2)(
            joblib.delayed(explained)(folder, frame.iloc[i : i + CHUNK]) for i in range(0, len(frame), CHUNK)
        )
    pd.concat(parts).to_parquet(target)


if __name__ == "__main__":
    main()
