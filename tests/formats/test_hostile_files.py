"""Mutants of real model files are refused in words or answered; none ends the process that opens it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.formats import hostile, orders

MUTANTS = 60


def _xgboost(path: Path, form: str) -> None:
    import xgboost

    rows = orders.mixed_rows(200)
    label = (orders.labels(rows) == "bad").astype(int)
    types = ["q", "int", "c", "i", "q"]
    data = xgboost.DMatrix(rows, label=label, feature_types=types, enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 4}, data, 6)
    path.write_bytes(bytes(booster.save_raw(form)))


def _lightgbm(path: Path) -> None:
    import lightgbm

    rows = orders.mixed_rows(200)
    label = (orders.labels(rows) == "bad").astype(int)
    small = lightgbm.LGBMClassifier(n_estimators=6, num_leaves=7, verbose=-1, min_child_samples=5)
    small.fit(rows, label, categorical_feature=[2]).booster_.save_model(str(path))


def _catboost(path: Path) -> None:
    import catboost

    rows = orders.number_rows(200)
    small = catboost.CatBoostClassifier(iterations=6, depth=3, verbose=0, allow_writing_files=False, thread_count=1)
    small.fit(rows, orders.labels(rows)).save_model(str(path), format="json")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "layout", "make"),
    [
        ("xgboost", "mixed", lambda p: _xgboost(p, "json")),
        ("xgboost", "mixed", lambda p: _xgboost(p, "ubj")),
        ("lightgbm", "mixed", _lightgbm),
        ("catboost", "numbers", _catboost),
    ],
    ids=["xgboost-json", "xgboost-ubj", "lightgbm", "catboost-json"],
)
def test_no_mutant_ends_the_process(form: str, layout: str, make: object, tmp_path: Path) -> None:
    """Sixty truncated, flipped, spliced and renumbered copies: most are refused, some answer, none kills."""
    make(tmp_path / "model")  # type: ignore[operator]
    (tmp_path / "mutants").mkdir()
    files = hostile.mutants((tmp_path / "model").read_bytes(), MUTANTS)
    found = hostile.outcomes(form, files, tmp_path / "mutants", layout)
    assert found.count("killed") == 0
    assert found.count("refused") > MUTANTS // 3


def _repacked(data: bytes, count: int) -> list[bytes]:
    """Copies of a skops archive with a few bytes of one array changed and every checksum right."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        entries = {e.filename: old.read(e) for e in old.infolist()}
    arrays = [n for n in entries if n.endswith(".npy")]
    made = []
    for _ in range(count):
        name = arrays[int(random.integers(len(arrays)))]
        changed = bytearray(entries[name])
        for place in random.integers(min(128, len(changed) - 1), len(changed), 4):
            changed[place] = int(random.integers(256))
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as new:
            for entry, content in entries.items():
                new.writestr(entry, bytes(changed) if entry == name else content)
        made.append(file.getvalue())
    return made


@pytest.mark.slow
def test_no_skops_archive_of_trusted_types_ends_the_process(tmp_path: Path) -> None:
    """Trees whose nodes were changed under right checksums are refused or answered, and kill nothing."""
    import skops.io
    from sklearn.ensemble import RandomForestClassifier

    rows = np.nan_to_num(orders.number_rows(200))
    forest = RandomForestClassifier(3, max_depth=4, random_state=0).fit(rows, orders.labels(rows))
    found = hostile.outcomes("sklearn-skops", _repacked(skops.io.dumps(forest), MUTANTS), tmp_path, "complete")
    assert found.count("killed") == 0
    assert found.count("refused") > MUTANTS // 5
