"""The card's section of results: metrics with intervals, calibration, and how groups fare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explainer.attribution.model import BoolArray
from explainer.demo.credit import COST_OF_BAD_LOAN, COST_OF_LOST_LOAN, COST_THRESHOLD
from explainer.demo.datasets import Dataset
from explainer.demo.metrics import (
    AUC,
    COST,
    DECLINED,
    R2,
    Metric,
    Scored,
    calibration,
    classification,
    intervals,
    regression,
    value,
)

YOUNG = 26


def classifier_results(data: Dataset, test: Scored, train: Scored, threshold: float) -> list[str]:
    """Results of P(bad) on the test rows; `train` only serves to show how much was learnt by heart."""
    costs = (COST_OF_BAD_LOAN, COST_OF_LOST_LOAN)
    learnt = value(classification(train, threshold, costs)[AUC], len(train.truth))
    return [
        *_heading(data, f"On the training rows the AUC is {learnt:.3f}; the gap is what was learnt by heart."),
        *_metrics(test, classification(test, threshold, costs)),
        *_threshold(test, threshold, costs),
        "",
        "Calibration, in five groups by rising P(bad):",
        "",
        "| rows | mean P(bad) | share of bad loans |",
        "|---|---|---|",
        *[f"| {n} | {mean:.3f} | {seen:.3f} |" for n, mean, seen in calibration(test)],
        "",
        "By group (read the number of rows first):",
        "",
        "| group | rows | share of bad loans | share declined | declined among good loans |",
        "|---|---|---|---|---|",
        *[_declined(name, test.of(inside), threshold) for name, inside in _credit_groups(data).items()],
        "",
    ]


def regression_results(data: Dataset, test: Scored, train: Scored) -> list[str]:
    """Results of a predicted number on the test rows; `train` gives the naive answer and what was learnt by heart."""
    learnt = value(regression(train)[R2], len(train.truth))
    naive = float(np.abs(test.truth - train.truth.mean()).mean())
    return [
        *_heading(data, f"On the training rows R² is {learnt:.3f}; the gap is what was learnt by heart."),
        *_metrics(test, regression(test)),
        f"Always answering the mean of the training rows has a mean absolute error of {naive:.3f}.",
        "",
        "By group:",
        "",
        "| group | rows | mean truth | mean prediction | mean absolute error |",
        "|---|---|---|---|---|",
        *[_error(name, test.of(inside)) for name, inside in _sexes(data).items()],
        "",
    ]


def _heading(data: Dataset, learnt: str) -> list[str]:
    unseen = f"{len(data.test)} rows that took no part in training."
    return [
        "## Results on the test rows",
        "",
        f"{unseen} Intervals: 95 %, 1,000 bootstrap resamples of these rows. {learnt}",
        "",
    ]


def _threshold(test: Scored, threshold: float, costs: tuple[float, float]) -> list[str]:
    cheapest = classification(test, COST_THRESHOLD, costs)
    cost, declined = (value(cheapest[name], len(test.truth)) for name in (COST, DECLINED))
    return [
        f"The threshold is {threshold} on P(bad): in cross-validation on the training rows it declines about "
        "three in ten applications, as many as loans turn bad. The costs that come with the data "
        f"({costs[0]:g} for a bad loan that is granted, {costs[1]:g} for a good one that is declined) would put it "
        "at 1/6; "
        f"on the test rows that would decline {declined:.3f} and cost {cost:.3f} on average."
    ]


def _metrics(test: Scored, metrics: Mapping[str, Metric]) -> list[str]:
    rows = [f"| {m.name} | {m.value:.3f} | {m.low:.3f} to {m.high:.3f} |" for m in intervals(metrics, len(test.truth))]
    return ["| metric | value | interval |", "|---|---|---|", *rows, ""]


def _credit_groups(data: Dataset) -> dict[str, BoolArray]:
    age = data.rows[data.test, data.position("age_years")]
    feature = data.position("foreign_worker")
    foreign = data.rows[data.test, feature] == data.features[feature].categories.index("yes")
    return {
        f"age below {YOUNG}": age < YOUNG,
        f"age {YOUNG} or more": age >= YOUNG,
        "foreign worker": foreign,
        "not a foreign worker": ~foreign,
    }


def _sexes(data: Dataset) -> dict[str, BoolArray]:
    feature = data.position("sex")
    codes = data.rows[data.test, feature]
    return {f"sex coded {name}": codes == i for i, name in enumerate(data.features[feature].categories)}


def _declined(name: str, group: Scored, threshold: float) -> str:
    declined = group.predicted >= threshold
    wrongly = declined[group.truth == 0.0].mean()
    return f"| {name} | {len(declined)} | {group.truth.mean():.3f} | {declined.mean():.3f} | {wrongly:.3f} |"


def _error(name: str, group: Scored) -> str:
    error = np.abs(group.truth - group.predicted).mean()
    means = f"{group.truth.mean():.3f} | {group.predicted.mean():.3f}"
    return f"| {name} | {len(group.truth)} | {means} | {error:.3f} |"
