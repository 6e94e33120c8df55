"""The page of a receipt."""

from __future__ import annotations

import pytest

from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import outline, register


@pytest.mark.parametrize("method", ["auto", "lime"])
@pytest.mark.parametrize("class_name", [None, "all"])
def test_every_kind_of_answer_has_its_page(house: House, method: str, class_name: str | None) -> None:
    """Shapley values fall from the average, LIME's weights grow from zero; the page says which it shows."""
    register(house, FEATURES, [ROW])
    ask = ExplainAsk("credit", [ROW], ExplainOptions(method=method, class_name=class_name))
    (receipt, *_) = [i["receipt"] for i in explain(house.rooms, house.serving, house.caller(), ask).items]
    client, _ = house.person("auditor")
    page = client.get(f"/receipts/{receipt}")
    assert page.status_code == 200
    outline(page.text)
    assert receipt in page.text
    assert ("Rule that holds" in page.text) is (method == "lime")
    assert ("Average over the background" in page.text) is (method != "lime")


def test_a_receipt_of_somebody_else_is_not_there(house: House) -> None:
    """An analyst sees own receipts only; another's looks like none."""
    register(house, FEATURES, [ROW])
    ask = ExplainAsk("credit", [ROW], ExplainOptions())
    receipt = explain(house.rooms, house.serving, house.caller(), ask).items[0]["receipt"]
    client, _ = house.person("analyst")
    assert client.get(f"/receipts/{receipt}").status_code == 404


def test_replaying_needs_the_permission_to(house: House) -> None:
    """The button's post is checked by itself, and leaves one entry."""
    register(house, FEATURES, [ROW])
    ask = ExplainAsk("credit", [ROW], ExplainOptions())
    receipt = explain(house.rooms, house.serving, house.caller(), ask).items[0]["receipt"]
    client, token = house.person("administrator")
    assert client.post(f"/receipts/{receipt}", data={"token": token}).status_code == 403
    assert [e.entry.outcome for e in house.entries()] == ["answered", "not-permitted"]
