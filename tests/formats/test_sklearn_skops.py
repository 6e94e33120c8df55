"""scikit-learn by skops: what opens, what it answers, and what is refused by its types."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from explainer.errors import ModelRefused
from explainer.formats import open_model
from tests.formats import orders

ROWS = np.nan_to_num(orders.number_rows(120))
LABELS = orders.labels(ROWS)
LINEAR = LogisticRegression()
ESTIMATORS = [
    DecisionTreeClassifier(max_depth=4),
    RandomForestClassifier(5),
    ExtraTreesClassifier(5),
    GradientBoostingClassifier(n_estimators=5),
    HistGradientBoostingClassifier(max_iter=5),
    LogisticRegression(),
    SGDClassifier(loss="log_loss"),
    MLPClassifier((4,), max_iter=3),
    CalibratedClassifierCV(SVC(), cv=2),
    CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2), method="isotonic", cv=2),
    GaussianNB(),
    KNeighborsClassifier(algorithm="brute"),
    VotingClassifier([("a", LINEAR), ("b", GaussianNB())], voting="soft"),
    StackingClassifier([("a", LINEAR)], cv=2),
]


def opened(estimator: Any, path: Path, rows: Any = ROWS, **more: Any) -> Any:
    skops.io.dump(estimator, path)
    return open_model(orders.order(path, orders.manifest("sklearn-skops", orders.COMPLETE, **more), rows))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_estimators_answer_as_before_they_were_saved(estimator: Any, tmp_path: Path) -> None:
    """Every common classifier opens under the reviewed list and gives its own probabilities in the manifest's order."""
    fitted = estimator.fit(ROWS, LABELS)
    model = opened(fitted, tmp_path / "model")
    assert model.library == "scikit-learn"
    assert np.array_equal(model.predict(ROWS), fitted.predict_proba(ROWS)[:, ::-1])
    assert model.predict(ROWS[:1]).shape == (1, 2)


def test_types_that_were_not_reviewed_are_refused_with_all_their_names(tmp_path: Path) -> None:
    """A KD-tree is followed unchecked by native code; the refusal names it, its metric and what to do."""
    fitted = KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, LABELS)
    with pytest.raises(ModelRefused) as caught:
        opened(fitted, tmp_path / "model")
    (problem,) = caught.value.problems
    assert problem.rule == "types"
    for part in ("sklearn.neighbors._kd_tree.KDTree", "EuclideanDistance64", "algorithm='brute'"):
        assert part in problem.detail


def test_a_function_of_the_system_is_refused_before_it_is_built(tmp_path: Path) -> None:
    """A schema that names os.system is refused by its type."""
    data = skops.io.dumps(LogisticRegression().fit(ROWS, LABELS))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "schema.json":
                content = content.replace(b'"LogisticRegression"', b'"system"').replace(
                    b'"sklearn.linear_model._logistic"', b'"os"'
                )
            new.writestr(entry.filename, content)
    (tmp_path / "model").write_bytes(changed.getvalue())
    order = orders.order(tmp_path / "model", orders.manifest("sklearn-skops", orders.COMPLETE), ROWS)
    with pytest.raises(ModelRefused, match=r"os\.system"):
        open_model(order)


def test_a_tree_with_foreign_node_numbers_is_refused_before_it_predicts(tmp_path: Path) -> None:
    """A file whose tree points beyond its nodes has only trusted types, and is still refused."""
    fitted = DecisionTreeClassifier(max_depth=2).fit(ROWS, LABELS)
    state = fitted.tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"]["left_child"][0] = 123_456
    fitted.tree_.__setstate__(state)
    with pytest.raises(ModelRefused, match="not sound"):
        opened(fitted, tmp_path / "model")


def test_a_broken_archive_is_refused_in_words(tmp_path: Path) -> None:
    """A file that was cut off is no zip archive."""
    data = skops.io.dumps(LogisticRegression().fit(ROWS, LABELS))
    (tmp_path / "model").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelRefused, match="zip archive"):
        open_model(orders.order(tmp_path / "model", orders.manifest("sklearn-skops", orders.COMPLETE), ROWS))


def test_schemas_that_build_nonsense_are_refused_in_words(tmp_path: Path) -> None:
    """Mutants inside the archive, whose checksums are right, are refused or answer; none raises anything else."""
    data = skops.io.dumps(RandomForestClassifier(2, max_depth=3, random_state=0).fit(ROWS, LABELS))
    random = np.random.default_rng(0)
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        entries = {e.filename: old.read(e) for e in old.infolist()}
    lines = entries["schema.json"].split(b"\n")
    refused = 0
    for _ in range(40):
        changed = lines.copy()
        at = int(random.integers(1, len(lines) - 1))
        changed[at], changed[at - 1] = changed[at - 1], changed[at]
        with zipfile.ZipFile(tmp_path / "model", "w") as new:
            for name, content in {**entries, "schema.json": b"\n".join(changed)}.items():
                new.writestr(name, content)
        try:
            open_model(orders.order(tmp_path / "model", orders.manifest("sklearn-skops", orders.COMPLETE), ROWS))
        except ModelRefused:
            refused += 1
    assert refused >= 5
