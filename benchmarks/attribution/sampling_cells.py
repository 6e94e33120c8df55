"""The black boxes that `sampling.py` judges estimators on: data, model, background, and values that count as true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.attribution import enumeration
from explainer.attribution.maskers import background
from explainer.attribution.methods import exact, paired
from explainer.attribution.model import OpenedModel
from explainer.attribution.ports import Ask, Subject
from explainer.records import FloatArray

BACKGROUND = 50
ROWS = 3
ASK = Ask("raw", (0,))
MOST = 1 << 22  # model rows that enumeration may take
LONG = 150  # of the rounds of a block, for the values that count as true where nothing exact is known

SEEN = ("wine mlp", "diabetes svc", "diabetes mlp", "friedman forest", "cancer mlp", "cancer svc", "digits mlp")
UNSEEN = ("credit mlp", "credit forest", "hastie svc", "hastie mlp", "quantiles svc", "quantiles forest", "wide mlp")


@dataclass
class Counted:
    """A function of one output that counts the rows it is asked for."""

    function: Callable[[FloatArray], FloatArray]
    rows: int = 0

    def __call__(self, x: FloatArray) -> FloatArray:
        x = np.asarray(x, dtype=np.float64)
        self.rows += len(x)
        return self.function(x)


@dataclass(frozen=True)
class Cell:
    name: str
    counted: Counted
    subject: Subject
    rows: FloatArray
    truth: FloatArray  # (rows, features)
    doubt: float  # squared error of the truth, as a share of its own square; 0 where it is exact


def cell(name: str) -> Cell:
    data, kind = name.split()
    x, y = table(data)
    counted = Counted(fitted(kind, x[:-40], y[:-40]))
    d = x.shape[1]
    opened = OpenedModel(lambda u: counted(u)[:, None], "regression", 1, "scikit-learn", "1")
    against = background(x[:BACKGROUND], "b")
    subject = Subject(opened, "m", against, np.zeros(d, dtype=np.int64), tuple(map(str, range(d))), ((),) * d)
    rows = x[-ROWS:]
    truth, doubt = _truth(subject, rows)
    return Cell(f"{name}, {d} features", counted, subject, rows, truth, doubt)


def table(name: str) -> tuple[FloatArray, FloatArray]:
    """Rows in random order, numbers standardised, and a target of 0 and 1."""
    from sklearn import datasets
    from sklearn.preprocessing import scale

    made: dict[str, Callable[[], Any]] = {
        "wine": lambda: datasets.load_wine(return_X_y=True),
        "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
        "cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
        "friedman": lambda: datasets.make_friedman1(1500, n_features=12, random_state=0),
        "digits": _digits,
        "credit": _credit,
        "hastie": lambda: datasets.make_hastie_10_2(1500, random_state=1),
        "quantiles": lambda: datasets.make_gaussian_quantiles(
            n_samples=1000, n_features=12, n_classes=2, random_state=1
        ),
        "wide": lambda: datasets.make_classification(1500, 60, n_informative=25, random_state=1),
    }
    x, y = made[name]()
    order = np.random.default_rng(0).permutation(len(x))
    return scale(x)[order], (y > np.median(y) if name in {"diabetes", "friedman"} else y == 1)[order].astype(np.float64)


def _digits() -> tuple[FloatArray, FloatArray]:
    """The 60 pixels that vary most; odd digits against even ones."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[:, np.sort(x.std(axis=0).argsort()[::-1][:60])], y % 2


def _credit() -> tuple[FloatArray, FloatArray]:
    """German credit: 20 features, most of them categories, whose codes are taken as they are."""
    from explainer.demo.datasets import german_credit

    data = german_credit()
    return data.rows, data.target


def fitted(kind: str, x: FloatArray, y: FloatArray) -> Callable[[FloatArray], FloatArray]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    if kind == "svc":
        decide: Callable[[FloatArray], FloatArray] = SVC(C=3.0).fit(x, y).decision_function
        return decide
    model: Any = MLPClassifier((32, 32), max_iter=500, random_state=0)
    if kind == "forest":
        model = RandomForestClassifier(60, max_depth=8, random_state=0)
    model.fit(x, y)
    return lambda u: model.predict_proba(u)[:, 1]


def _truth(subject: Subject, rows: FloatArray) -> tuple[FloatArray, float]:
    """By enumeration where that takes at most MOST model rows, else by a long run under other seeds."""
    if all(enumeration.cost(row, subject.background) <= MOST for row in rows):
        return exact.METHOD.prepare(subject, ASK).explain(rows, [0] * len(rows), ASK).values[:, :, 0], 0.0
    price = 2 * (rows.shape[1] - 1) * len(subject.background.rows)
    ask = Ask("raw", (0,), max_evaluations=1 + LONG * price)
    got = paired.METHOD.prepare(subject, ask).explain(rows, [10**6 + i for i in range(len(rows))], ask)
    return got.values[:, :, 0], float((got.standard_errors**2).sum() / (got.values**2).sum())
