"""Pages of models: the list, and a model's card."""

from __future__ import annotations

import dataclasses

import pytest

from explainer.records import Feature
from tests.house import House
from tests.registry.folders import FEATURES, FILES, ROW, manifest
from tests.webui.site import SCRIPT, Outline, explained, outline, register


def test_no_model_yet(house: House) -> None:
    """An empty registry says how a model comes in."""
    client, _ = house.person()
    page = client.get("/models")
    outline(page.text)
    assert "explainer register" in page.text


def test_a_retired_model(house: House) -> None:
    """A retired version's page says so and offers no explanation; the list no longer shows it."""
    register(house, FEATURES, [ROW])
    house.rooms.registry.retire("credit", "1.0")
    client, _ = house.person()
    page = client.get("/models/credit?version=1.0")
    outline(page.text)
    assert "was retired on" in page.text
    assert "Explain a row" not in page.text
    assert "credit" not in client.get("/models").text.replace("accredit", "")
    assert client.get("/models/credit/explain?version=1.0&sample=0").status_code == 409


@pytest.mark.parametrize(
    "card",
    [
        SCRIPT,
        f"# {SCRIPT}",
        "[click](javascript:alert(1))",
        "![x](http://evil.example/track.png)",
        '<img src=x onerror="alert(1)">',
        "<https://evil.example/>",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
    ],
)
def test_a_card_is_markdown_without_html(house: House, card: str) -> None:
    """Scripts, handlers, images from elsewhere and javascript links of a card stay text."""
    house.register({**FILES, "card.md": card.encode()})
    client, _ = house.person()
    found = Outline()
    found.feed(client.get("/models/credit").text)
    assert "script" not in found.tags
    assert not [a for a in found.attributes if a[1].startswith("on")]
    values = [value or "" for _, name, value in found.attributes if name in {"src", "href"}]
    assert not [v for v in values if v.startswith(("javascript:", "data:"))]
    assert not [v for tag, name, v in found.attributes if name == "src" and not (v or "").startswith("/")]


def test_markup_in_a_model_is_text(house: House) -> None:
    """Markup in categories, descriptions, classes, reasons and the card is shown, never obeyed."""
    feature = Feature("kind", "category", categories=(SCRIPT, 'a"b'), description=SCRIPT)
    spec = manifest()
    register(
        house,
        (feature,),
        [{"kind": SCRIPT}],
        classes=(SCRIPT, "<b>"),
        positive_class=SCRIPT,
        card=dataclasses.replace(spec.card, purpose=SCRIPT, owner=SCRIPT),
        decision=dataclasses.replace(spec.decision, favourable=f"not {SCRIPT}", adverse=SCRIPT),  # type: ignore[type-var]
    )
    client, _ = house.person()
    for path in ("/models", "/models/credit"):
        page = client.get(path)
        outline(page.text)
        assert "&lt;script&gt;" in page.text
    assert "&lt;script&gt;" in explained(client)
