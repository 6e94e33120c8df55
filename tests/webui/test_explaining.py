"""The explain page, at the extremes too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from explainer.records import Feature
from tests.house import House, many_features
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import explained, outline, register


def test_the_page_shows_the_numbers_of_the_answer(house: House) -> None:
    """Prediction, every push and every value on the page are those that the API answers for the row."""
    register(house, FEATURES, [ROW])
    client, _ = house.person()
    text = explained(client)
    headers = {"Authorization": f"Bearer {house.key()}"}
    answer = house.client().post("/api/v1/models/credit/explain", json={"instances": [ROW]}, headers=headers).json
    (e,) = answer["explanations"]
    assert e["cache"] == "hit"
    assert f"{100 * e['prediction']:.1f} %" in text
    decimals = 1 if max(abs(a["attribution"]) for a in e["attributions"]) >= 0.1 else 2
    for item in e["attributions"]:
        if item["attribution"]:
            assert f"{abs(100 * item['attribution']):.{decimals}f}" in text
    assert all(value in text for value in ("12.5", "24", "house", "yes"))


@pytest.mark.parametrize("count", [1, 2, 15, 16, 200])
def test_few_and_many_features(house: House, count: int) -> None:
    """A model of 1 and of 200 features is shown; beyond what fits the rest is one bar that says how many."""
    features = many_features(count)
    register(house, features, [{f.name: 1.5 + i for i, f in enumerate(features)}])
    client, _ = house.person()
    text = explained(client)
    assert ("the other" in text) is (count > 15)
    assert count < 200 or "the other 186 features" in text
    assert client.get("/models/credit").text.count('<th scope="row">') == count


def test_very_long_names_and_texts(house: House) -> None:
    """Names and categories as long as the registry admits are shown whole."""
    name = "very_" * 11 + "long"
    feature = Feature(name, "category", categories=("x" * 200, "y"), description="d" * 500)
    register(house, (feature,), [{name: "x" * 200}])
    client, _ = house.person()
    text = explained(client)
    assert name.replace("_", " ") in text
    assert "x" * 200 in text


def test_missing_values_are_called_missing(house: House) -> None:
    """A row whose nullable values are all missing is explained, and says so."""
    register(house, FEATURES, [{**ROW, "months": None, "phone": None}])
    client, _ = house.person()
    assert explained(client).count('<span class="value">missing</span>') == 2


def test_regression(house: House) -> None:
    """A model of numbers has no class, no output to choose and no per cent."""
    changes: dict[str, Any] = {"task": "regression", "classes": (), "positive_class": None, "output": "raw"}
    register(house, FEATURES, [ROW], decision=None, **changes)
    client, _ = house.person()
    text = explained(client, output="probability")
    assert 'name="output"' not in text
    assert re.search(r'<p class="big">100\.\d</p>', text)


def test_many_classes(house: House) -> None:
    """A model of more than two classes is explained for one of them, which the page names."""
    changes: dict[str, Any] = {"classes": ("red", "green", "blue"), "positive_class": None, "decision": None}
    register(house, FEATURES, [ROW], **changes)
    client, _ = house.person()
    assert "<strong>red</strong>" in explained(client)


@pytest.mark.parametrize("output", ["probability", "log_odds", "raw"])
def test_every_output_can_be_chosen(house: House, output: str) -> None:
    """The page keeps the output that was chosen."""
    register(house, FEATURES, [ROW])
    client, _ = house.person()
    assert f'<option value="{output}" selected>' in explained(client, output=output)


def test_a_wrong_value_is_named_at_its_field_and_kept(house: House) -> None:
    """Every mistake is beside its field, what was typed stays, and nothing is computed."""
    register(house, FEATURES, [ROW])
    client, token = house.person()
    form = {"token": token, "row-amount": "a lot", "row-months": "0", "row-purpose": "house", "row-phone": ""}
    page = client.post("/models/credit/explain", data=form)
    assert page.status_code == 422
    shown = outline(page.text)
    assert {"row-amount-problem", "row-months-problem"} <= set(shown.ids)
    assert page.text.count('aria-invalid="true"') == 2
    assert 'value="a lot"' in page.text
    assert house.workers.asked == []
    assert [e.entry.outcome for e in house.entries()][-1] == "invalid-rows"


@pytest.mark.parametrize("sample", ["-1", "1", "x", "0x0", "9" * 30, ""])
def test_a_sample_that_is_not_there_shows_the_form(house: House, sample: str) -> None:
    """Any number that names no sample is no error; nothing is computed."""
    register(house, FEATURES, [ROW])
    client, _ = house.person()
    explained(client, sample=sample)
    assert house.workers.asked == []
