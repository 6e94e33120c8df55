"""Rows of a request as its background: checked like instances, kept with the receipt, told to nobody."""

from __future__ import annotations

from typing import Any

import pytest

from explainer.attribution.reference import rows_of
from explainer.errors import InvalidOption, InvalidRows, TooLarge
from explainer.records import BackgroundRows, ExplainOptions
from explainer.usecases.compare import compare
from explainer.usecases.explain import ExplainAsk, Explained, explain
from explainer.usecases.receipts import replay_receipt
from explainer.usecases.reference import MOST_ROWS, background_note, with_background
from tests.house import House
from tests.registry.folders import FEATURES, ROW

OTHER = {**ROW, "amount": 99.0, "months": None}


def ask(house: House, background: Any, **settings: Any) -> Explained:
    given = ExplainAsk("credit", [ROW], ExplainOptions(**settings), None, background)
    return explain(house.rooms, house.serving, house.caller(), given)


def test_without_rows_the_options_stay_as_they_are() -> None:
    """A request that names its background is not touched."""
    options = ExplainOptions(method="lime")
    assert with_background(options, FEATURES, None) is options
    assert background_note(options) == {}


def test_rows_become_the_background_of_the_options() -> None:
    """Objects and arrays code to the same background; the ledger is told how many rows it has."""
    named, listed = (
        with_background(ExplainOptions(), FEATURES, rows)
        for rows in ([ROW, OTHER], [list(ROW.values()), list(OTHER.values())])
    )
    assert named == listed
    assert isinstance(named.background, BackgroundRows)
    assert rows_of(named.background).shape == (2, len(FEATURES))
    assert background_note(named) == {"background_rows": 2}


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([], "background.rows"),
        ([ROW, {**ROW, "colour": "red"}], "background.rows[1].colour"),
        ([{**ROW, "purpose": "boat"}], "background.rows[0].purpose"),
        ([ROW, 7], "background.rows[1]"),
    ],
)
def test_problems_name_the_row_of_the_background(rows: list[Any], where: str) -> None:
    """What is wrong is said with the place in the request, as for instances."""
    with pytest.raises(InvalidRows) as caught:
        with_background(ExplainOptions(), FEATURES, rows)
    assert [p.where for p in caught.value.problems] == [where]
    assert "instances" not in caught.value.detail


def test_the_number_of_rows_is_bounded() -> None:
    """As many as the limit are taken, one more is refused."""
    with_background(ExplainOptions(), FEATURES, [ROW] * MOST_ROWS)
    with pytest.raises(TooLarge, match=r"background.rows: 501 rows"):
        with_background(ExplainOptions(), FEATURES, [ROW] * (MOST_ROWS + 1))


def test_a_method_without_background_refuses_one() -> None:
    """Path-dependent values would silently ignore the rows, so they are refused."""
    with pytest.raises(InvalidOption, match="uses none"):
        with_background(ExplainOptions(method="tree_path"), FEATURES, [ROW])


def test_the_answer_is_against_these_rows(house: House) -> None:
    """Another background gives other numbers, is named by its digest, and is noted by its size alone."""
    house.register()
    default, sent = ask(house, None).items[0], ask(house, [OTHER]).items[0]
    assert sent["method"]["background"].startswith("rows:")
    assert sent["attributions"] != default["attributions"]
    assert sent["expected_value"] != default["expected_value"]
    assert house.entries()[1].entry.body["background_rows"] == 1
    assert "background_rows" not in house.entries()[0].entry.body


def test_the_row_against_itself_has_no_reasons(house: House) -> None:
    """Where the row is its own baseline every attribution is zero and the expected value is the prediction."""
    house.register()
    item = ask(house, [ROW]).items[0]
    assert [a["attribution"] for a in item["attributions"]] == [0.0] * len(FEATURES)
    assert item["expected_value"] == item["prediction"]


def test_the_cache_tells_backgrounds_apart(house: House) -> None:
    """The same cohort in another order is a hit; another one, or the default, is computed."""
    house.register()
    found = [ask(house, rows).items[0]["cache"] for rows in ([ROW, OTHER], None, [OTHER], [OTHER, ROW])]
    assert found == ["miss", "miss", "miss", "hit"]


def test_a_receipt_is_replayed_against_the_same_rows(house: House) -> None:
    """The receipt keeps the rows, so that the answer comes out the same again."""
    house.register()
    item = ask(house, [ROW, OTHER]).items[0]
    kept = house.rooms.receipts.get(item["receipt"]).options.background
    assert isinstance(kept, BackgroundRows)
    assert item["method"]["background"] == f"rows:{kept.digest[:12]}"
    assert replay_receipt(house.rooms, house.serving, house.caller(), item["receipt"]).identical


def test_a_comparison_uses_one_background_for_both(house: House) -> None:
    """SHAP and LIME are given the same rows."""
    house.register()
    done = compare(
        house.rooms, house.serving, house.caller(), ExplainAsk("credit", [ROW], ExplainOptions(), None, [OTHER])
    )
    names = {i["method"]["background"] for i in (*done.shap.items, *done.lime.items)}
    assert len(names) == 1
    assert names.pop().startswith("rows:")
