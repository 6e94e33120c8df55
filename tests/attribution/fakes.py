"""Small models written by hand, and the truth about them by plain enumeration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from math import factorial
from warnings import catch_warnings, simplefilter

import numpy as np

from explainer.attribution.maskers import background
from explainer.attribution.model import Columns, LinearTerms, OpenedModel, Trees
from explainer.attribution.ports import Subject
from explainer.records import BackgroundSpec, CardSpec, Feature, FloatArray, GoldenSpec, Manifest

Function = Callable[[FloatArray], FloatArray]


def brute_force(game: Function, row: FloatArray, rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Shapley values (features, outputs) by the textbook sum over all coalitions of all features."""
    d = len(row)

    def value(coalition: Sequence[int]) -> FloatArray:
        mixed = rows.copy()
        mixed[:, list(coalition)] = row[list(coalition)]
        return np.asarray(weights @ game(mixed))

    phi = []
    for i in range(d):
        others = [j for j in range(d) if j != i]
        total = 0.0
        for size in range(d):
            share = factorial(size) * factorial(d - size - 1) / factorial(d)
            for coalition in combinations(others, size):
                total = total + share * (value([*coalition, i]) - value(coalition))
        phi.append(total)
    return np.array(phi)


def regression(function: Callable[[FloatArray], FloatArray]) -> OpenedModel:
    """A regression of one output; `function` maps (n, d) to (n,)."""
    return OpenedModel(lambda x: function(x)[:, None], "regression", 1, "numpy", np.__version__)


def classifier(margin: Function, *, shows_margin: bool = True) -> OpenedModel:
    """A binary model with a logistic link; `margin` maps (n, d) to (n,)."""

    def predict(x: FloatArray) -> FloatArray:
        p = 1 / (1 + np.exp(-margin(x)))
        return np.stack([1 - p, p], axis=1)

    shown = (lambda x: margin(x)[:, None]) if shows_margin else None
    return OpenedModel(predict, "classification", 2, "numpy", np.__version__, link="logistic", margin=shown)


def softmax(margins: Function, outputs: int) -> OpenedModel:
    def predict(x: FloatArray) -> FloatArray:
        e = np.exp(margins(x))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    return OpenedModel(predict, "classification", outputs, "numpy", np.__version__, link="softmax", margin=margins)


def subject(model: OpenedModel, rows: FloatArray, kinds: Sequence[int] | None = None) -> Subject:
    d = rows.shape[1]
    sizes = [0] * d if kinds is None else list(kinds)
    labels = tuple(tuple(f"c{j}" for j in range(size)) for size in sizes)
    names = tuple(f"f{i}" for i in range(d))
    return Subject(model, "m" * 64, background(rows, "b" * 64), np.array(sizes, dtype=np.int64), names, labels)


def manifest(of: Subject, *, classes: tuple[str, ...] = ("no", "yes"), positive: str | None = "yes") -> Manifest:
    is_classifier = of.model.task == "classification"
    return Manifest(
        name="fake",
        version="1",
        format="fake",
        file="model",
        sha256="0" * 64,
        task=of.model.task,
        classes=classes if is_classifier else (),
        positive_class=positive if is_classifier else None,
        output="probability" if is_classifier else "raw",
        features=tuple(Feature(name, "number") for name in of.names),
        background=BackgroundSpec("background.csv", len(of.background.rows), "0" * 64, ""),
        golden=GoldenSpec("golden.csv", "0" * 64, "numpy", "2"),
        card=CardSpec("", "", "", "", "card.md"),
    )


def mixed_rows(n: int, seed: int, d: int = 6) -> FloatArray:
    """Half numbers, half categories of three; the last feature is missing now and then."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d))
    rows[:, d // 2 :] = rng.integers(0, 3, size=(n, d - d // 2))
    rows[rng.random(n) < 0.2, d - 1] = np.nan
    return rows


def bent(x: FloatArray) -> FloatArray:
    """A margin with interactions, a kink and a missing value that matters; (n, at least 6) gives (n,)."""
    gone = np.isnan(x[:, 5])
    return np.asarray(x[:, 0] * x[:, 1] + np.maximum(x[:, 2], 0) * (x[:, 3] == 1) - 0.7 * x[:, 4] + 1.5 * gone)


def linear_model(coefficients: FloatArray, intercept: FloatArray, *, task: str, link: str) -> OpenedModel:
    """A linear margin over one-hot columns of three categories for odd features, the numbers of even ones."""
    d = 4

    def encode(x: FloatArray) -> FloatArray:
        parts = [x[:, [i]] if i % 2 == 0 else (x[:, [i]] == np.arange(3)).astype(np.float64) for i in range(d)]
        return np.concatenate(parts, axis=1)

    owner = np.array([0, 1, 1, 1, 2, 3, 3, 3])
    outputs = coefficients.shape[1] if (task, link) != ("classification", "logistic") else 2

    def margin(x: FloatArray) -> FloatArray:
        return np.asarray(encode(x) @ coefficients + intercept)

    def predict(x: FloatArray) -> FloatArray:
        if link == "logistic":
            p = 1 / (1 + np.exp(-margin(x)))
            return np.concatenate([1 - p, p], axis=1)
        if link == "softmax":
            e = np.exp(margin(x))
            return np.asarray(e / e.sum(axis=1, keepdims=True))
        return margin(x)

    return OpenedModel(
        predict,
        task,  # type: ignore[arg-type]
        outputs,
        "numpy",
        np.__version__,
        link=link,  # type: ignore[arg-type]
        margin=margin,
        columns=Columns(encode, owner),
        linear=LinearTerms(coefficients, intercept),
    )


def tree_model() -> OpenedModel:
    """Two trees with interactions over two numbers and a missing value, as a binary model with a logistic link."""
    column = np.array([0, 1, -1, -1, -1, 2, -1, -1])
    left = np.array([1, 2, -1, -1, -1, 6, -1, -1])
    right = np.array([4, 3, -1, -1, -1, 7, -1, -1])
    value = np.array([0.0, 0.0, 1.5, -0.5, -1.0, 0.0, 0.8, -0.3])[:, None]
    nodes = len(column)
    trees = Trees(
        roots=np.array([0, 5]),
        column=np.maximum(column, 0),
        kind=np.zeros(nodes, dtype=np.int8),
        threshold=np.array([0.2, -0.1, 0, 0, 0, 1.0, 0, 0]),
        left=left,
        right=right,
        missing_left=np.array([True, False, False, False, False, True, False, False]),
        set_start=np.zeros(nodes, dtype=np.int64),
        set_size=np.zeros(nodes, dtype=np.int64),
        set_words=np.zeros(0, dtype=np.uint64),
        value=value,
        cover=np.array([100.0, 60, 20, 40, 40, 100, 70, 30]),
        base=np.array([0.1]),
        single=False,
    )

    def margin(x: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            first = np.where((x[:, 0] <= 0.2) | np.isnan(x[:, 0]), np.where(x[:, 1] <= -0.1, 1.5, -0.5), -1.0)
            second = np.where((x[:, 2] <= 1.0) | np.isnan(x[:, 2]), 0.8, -0.3)
        return np.asarray((0.1 + first + second)[:, None])

    def predict(x: FloatArray) -> FloatArray:
        p = 1 / (1 + np.exp(-margin(x)))
        return np.concatenate([1 - p, p], axis=1)

    return OpenedModel(
        predict,
        "classification",
        2,
        "numpy",
        np.__version__,
        link="logistic",
        margin=margin,
        columns=Columns(lambda x: x, np.arange(3)),
        trees=trees,
    )


@cache
def network() -> Subject:
    """A scikit-learn MLP on six features, against thirty background rows."""
    from sklearn.neural_network import MLPClassifier

    rows = np.nan_to_num(mixed_rows(300, 1))
    fitted = MLPClassifier((16, 16), max_iter=60, random_state=0, learning_rate_init=0.02)
    with catch_warnings():
        simplefilter("ignore")  # sixty rounds do not converge, nor need they
        fitted.fit(rows, bent(rows) > 0)
    model = OpenedModel(fitted.predict_proba, "classification", 2, "scikit-learn", "1")
    return subject(model, rows[:30])


@cache
def support_vectors() -> Subject:
    """A scikit-learn SVC's decision value as a regression on six features, against twenty background rows."""
    from sklearn.svm import SVC

    rows = np.nan_to_num(mixed_rows(150, 2))
    fitted = SVC(C=3.0).fit(rows, bent(rows) > 0)
    return subject(regression(fitted.decision_function), rows[:20])
