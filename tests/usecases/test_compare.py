"""SHAP and LIME side by side."""

from __future__ import annotations

import pytest

from explainer.errors import InvalidRows
from explainer.records import ExplainOptions
from explainer.usecases.compare import compare
from explainer.usecases.explain import ExplainAsk
from tests.house import House
from tests.registry.folders import ROW


def test_both_families_explain_the_same_rows(house: House) -> None:
    """Each side has its own receipts and method, the agreement is by row, and there is one entry."""
    house.register()
    done = compare(house.rooms, house.serving, house.caller(), ExplainAsk("credit", [ROW, ROW], ExplainOptions()))
    assert [i["method"]["name"] for i in done.shap.items + done.lime.items] == ["exact"] * 2 + ["lime"] * 2
    receipts = [i["receipt"] for i in done.shap.items + done.lime.items]
    assert receipts[0] == receipts[1] != receipts[2] == receipts[3]
    assert len(done.agreements) == 2
    assert all(a.leading == 1.0 for a in done.agreements)
    (entry,) = house.entries()
    assert entry.entry.event == "api:comparison:create"
    assert entry.entry.body["shap_receipt"] == done.shap.items[0]["receipt"]


def test_every_class_has_its_agreement(house: House) -> None:
    """With all classes there is one agreement for each class of each row, in the order of the explanations."""
    house.register()
    ask = ExplainAsk("credit", [ROW], ExplainOptions(class_name="all"))
    done = compare(house.rooms, house.serving, house.caller(), ask)
    assert len(done.agreements) == len(done.shap.items) == 2


def test_a_refusal_is_one_entry(house: House) -> None:
    """Bad rows are refused once, not once for each family."""
    house.register()
    with pytest.raises(InvalidRows):
        compare(house.rooms, house.serving, house.caller(), ExplainAsk("credit", [], ExplainOptions()))
    assert [e.entry.outcome for e in house.entries()] == ["invalid-rows"]
