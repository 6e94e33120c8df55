"""Facts about the data of the demonstration: schema, coding, split, and nothing of the target among the features."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from explainer.demo.datasets import Dataset, code, diabetes, draw, german_credit, split
from explainer.records import Feature
from explainer.registry.rows import uncode_rows

CREDIT = Path(__file__).parents[2] / "explainer" / "demo" / "data" / "german_credit" / "credit.csv"


@pytest.fixture(scope="module", params=[german_credit, diabetes])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return request.param()


def credit_records() -> list[dict[str, str]]:
    with CREDIT.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_credit_rows_are_the_file() -> None:
    """Every applicant column of credit.csv comes back from its coded form, in the order of the header."""
    records, data = credit_records(), german_credit()
    names = [name for name in records[0] if name not in ("case", "credit_risk")]
    assert [f.name for f in data.features] == names
    plain = [{name: str(value) for name, value in row.items()} for row in uncode_rows(data.features, data.rows)]
    assert plain == [{name: record[name] for name in names} for record in records]


def test_credit_target_is_a_bad_loan() -> None:
    """The target is 1 exactly where credit_risk says bad: 300 of 1,000."""
    target = german_credit().target
    assert target.tolist() == [float(record["credit_risk"] == "bad") for record in credit_records()]
    assert target.sum() == 300


def test_no_id_and_no_target_among_the_features(dataset: Dataset) -> None:
    """Neither the row number nor the outcome is a feature, and no feature alone tells the outcome."""
    assert {"case", "credit_risk", "target"}.isdisjoint(f.name for f in dataset.features)
    correlations = [abs(np.corrcoef(column, dataset.target)[0, 1]) for column in dataset.rows.T]
    assert max(correlations) < 0.7


def test_categories_and_limits_hold_all_rows(dataset: Dataset) -> None:
    """Every category occurs in the data, and every number lies within the limits of its feature."""
    for feature, column in zip(dataset.features, dataset.rows.T, strict=True):
        if feature.type == "category":
            assert set(column) == set(range(len(feature.categories))), feature.name
        else:
            assert feature.min is not None
            assert feature.max is not None
            assert feature.min <= column.min() <= column.max() <= feature.max, feature.name


def test_every_feature_is_described_in_words(dataset: Dataset) -> None:
    """Each feature has a description and two different reason texts, all of them unlike those of other features."""
    texts = [f.description for f in dataset.features]
    for feature in dataset.features:
        assert feature.reason is not None
        texts += [feature.reason.increases, feature.reason.decreases]
    assert all(texts)
    assert Counter(texts).most_common(1)[0][1] == 1


def test_protected_features() -> None:
    """Age and being a foreign worker, and in the other data age and sex, are marked as protected and not changeable."""
    for data, names in ((german_credit(), {"age_years", "foreign_worker"}), (diabetes(), {"age_years", "sex"})):
        assert {f.name for f in data.features if f.protected} == names
        assert not any(f.mutable for f in data.features if f.protected)


def test_split_keeps_shares_and_loses_nobody(dataset: Dataset) -> None:
    """Training and test rows are disjoint, together they are all, and bad loans have the same share in both."""
    both = np.concatenate([dataset.train, dataset.test])
    assert sorted(both.tolist()) == list(range(len(dataset.rows)))
    if dataset.name == "german_credit":
        assert (len(dataset.train), len(dataset.test)) == (750, 250)
        assert dataset.target[dataset.train].mean() == dataset.target[dataset.test].mean() == 0.3


def test_diabetes_is_what_scikit_learn_ships() -> None:
    """The columns under plain names hold the values of load_diabetes; sex stands by its code."""
    data, shipped = diabetes(), load_diabetes(scaled=False)
    rows = data.rows.copy()
    rows[:, data.position("sex")] += 1.0
    np.testing.assert_array_equal(rows, shipped.data)
    np.testing.assert_array_equal(data.target, shipped.target)


def test_split_depends_on_the_seed_alone() -> None:
    """The same strata and seed give the same split, another seed another one."""
    strata = np.repeat([0.0, 1.0], 50)
    first, again = split(strata, test_share=0.2), split(strata, test_share=0.2)
    np.testing.assert_array_equal(first[1], again[1])
    assert split(strata, test_share=0.2, seed=9)[1].tolist() != first[1].tolist()


def test_draw_takes_from_the_rows_given() -> None:
    """A draw has the size asked for, keeps the shares and takes only rows that it was offered."""
    strata = np.repeat([0.0, 1.0], [70, 30])
    among = np.arange(0, 100, 2)
    drawn = draw(strata, among, 10, seed=4)
    assert len(set(drawn.tolist())) == 10
    assert set(drawn) <= set(among)
    assert strata[drawn].sum() == 3
    assert len(draw(strata, np.arange(100), 25, seed=4)) == 25  # 17.5 and 7.5 of the two strata


def test_an_unknown_category_has_no_code() -> None:
    """A value that the schema does not list raises instead of becoming some number."""
    feature = Feature("housing", "category", categories=("rent", "own"))
    assert code(feature, "own") == 1.0
    with pytest.raises(ValueError, match="not in tuple"):
        code(feature, "castle")
