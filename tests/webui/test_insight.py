"""Pages about a model as a whole: the numbers on them, and every state in which there are none."""

from __future__ import annotations

import re

import pytest

from explainer.disclosure.levels import Policy
from explainer.errors import ModelFailed
from explainer.records import DecisionSpec, Feature
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import SCRIPT, outline, register

KINDS = ("car", "house", "other")
ROWS = [
    {**ROW, "amount": 100.25 + 37.5 * i, "months": None if i < 6 else i, "purpose": KINDS[i % 3], "phone": i % 2 == 0}
    for i in range(24)
]
MODEL = "/models/credit"
IMPORTANCE, DEPENDENCE, COMPARE = (f"{MODEL}/{page}" for page in ("importance", "dependence", "compare"))


def test_the_way_about_a_model(house: House) -> None:
    """Overview, importance, one feature, comparison: whole pages that lead to one another."""
    register(house, FEATURES, ROWS, version="1")
    register(house, FEATURES, ROWS, version="2")
    client, _ = house.person("analyst")
    overview = client.get(MODEL).text
    outline(overview)
    for path in (IMPORTANCE, COMPARE):
        assert f'href="{path}"' in overview
    importance = client.get(IMPORTANCE).text
    outline(importance)
    link = re.search(rf'href="({DEPENDENCE}\?[^"]*feature=months[^"]*)"', importance)
    assert link is not None
    one = client.get(link[1].replace("&amp;", "&"))
    outline(one.text)
    assert "How months acts" in one.text
    compared = client.get(COMPARE)
    assert compared.status_code == 200
    outline(compared.text)


def test_importance_says_what_it_rests_on(house: House) -> None:
    """Rows, method, evaluations, exact or sampled; the numbers stand behind bars and swarm."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    text = client.get(IMPORTANCE).text
    for said in ("24 of the background", "<strong>exact</strong> (24 rows)", "exact up to rounding", "384", "Median"):
        assert said in text
    assert text.count('<svg class="bar"') == text.count('<svg class="strip"') == len(FEATURES)
    assert len(re.findall("<circle", text)) == 4 * 24


def test_no_value_of_the_background_is_on_its_pages(house: House) -> None:
    """Amounts are told in rounded bands; the lowest and the highest not at all. Those of samples are."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    for path in (IMPORTANCE, f"{DEPENDENCE}?feature=amount", COMPARE):
        text = client.get(path).text
        assert not [r["amount"] for r in ROWS if str(r["amount"]) in text], path
    samples = client.get(f"{DEPENDENCE}?feature=amount&rows=samples").text
    outline(samples)
    assert all(f"<td>{r['amount']}</td>" in samples for r in ROWS)


@pytest.mark.parametrize("feature", [f.name for f in FEATURES])
@pytest.mark.parametrize("rows", ["background", "samples"])
def test_every_kind_of_feature_has_its_plot(house: House, feature: str, rows: str) -> None:
    """Numbers, integers, categories and booleans, with missing values among them."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    page = client.get(DEPENDENCE, query_string={"feature": feature, "rows": rows})
    assert page.status_code == 200
    outline(page.text)
    assert "<circle" in page.text
    assert ("of at least 5 rows" in page.text) == (rows == "background")


def test_two_versions_are_compared_on_the_page(house: House) -> None:
    """Flips by each version's own decision, and rows one by one for samples only."""
    register(house, FEATURES, ROWS, version="1")
    register(house, FEATURES, ROWS, version="2", decision=DecisionSpec(0.9999, "granted", "declined"))
    client, _ = house.person("analyst")
    text = client.get(COMPARE).text
    assert "credit, 1 → 2" in text
    assert "24 of 24</strong> outcomes flip: 0 to declined, 24 to granted" in text
    assert "each version's outcome is by its own" in text
    assert "Row by row</strong> Rows of the background stay" in text
    back = client.get(f"{COMPARE}?before=2&after=1&rows=samples").text
    outline(back)
    assert "credit, 2 → 1" in back
    assert back.count(">flips<") == 24


def test_what_makes_versions_incomparable_is_listed(house: House) -> None:
    """Each difference, and a form to choose others."""
    register(house, FEATURES, ROWS, version="1")
    register(
        house,
        (*FEATURES[:3], Feature("fax", "boolean")),
        [{**{k: r[k] for k in ("amount", "months", "purpose")}, "fax": True} for r in ROWS],
        version="2",
    )
    client, _ = house.person("analyst")
    page = client.get(COMPARE)
    outline(page.text)
    assert "These two cannot be compared" in page.text
    assert "only version 1 has phone" in page.text
    assert '<select name="before">' in page.text


def test_one_version_is_said_to_be_alone(house: House) -> None:
    """With what to do about it."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    page = client.get(COMPARE)
    assert page.status_code == 200
    outline(page.text)
    assert "has one version in service" in page.text


@pytest.mark.parametrize("path", [IMPORTANCE, f"{DEPENDENCE}?feature=amount", COMPARE])
def test_a_role_that_sees_no_sizes_is_told_so_on_the_page(house: House, path: str) -> None:
    """403 with who can change it and the way back; not a number of the model is on it."""
    register(house, FEATURES, ROWS, version="1")
    register(house, FEATURES, ROWS, version="2")
    client, _ = house.person("application")
    page = client.get(path)
    assert page.status_code == 403
    outline(page.text)
    assert "Not shown to your role" in page.text
    assert 'class="chart"' not in page.text
    assert "An administrator can show them" in page.text


def test_a_role_without_values_sees_bars_and_is_told_why_no_more(house: House) -> None:
    """No swarm, and no links to plots that would be refused."""
    register(house, FEATURES, ROWS)
    house.rooms.policies.set("analyst", "credit", Policy(values=False), "test")
    client, _ = house.person("analyst")
    text = client.get(IMPORTANCE).text
    outline(text)
    assert "No beeswarm" in text
    assert "dependence?" not in text
    assert client.get(f"{DEPENDENCE}?feature=amount").status_code == 403


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("rows=mine", 422, "choose one of: background, samples"),
        ("version=9", 404, "9"),
        (f"version={SCRIPT}", 404, "&lt;script&gt;"),
        ("output=magic", 200, "What matters"),
    ],
)
def test_what_cannot_be_shown_is_a_page(house: House, query: str, status: int, said: str) -> None:
    """Every refusal is whole, names its reason, and markup in the address is text."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    page = client.get(f"{IMPORTANCE}?{query}", headers={"Accept": "text/html"})
    assert page.status_code == status
    outline(page.text)
    assert said in page.text


def test_too_small_a_background_offers_the_samples(house: House) -> None:
    """The link leads to a page that can be shown."""
    register(house, FEATURES, ROWS[:5])
    client, _ = house.person("analyst")
    page = client.get(IMPORTANCE)
    assert page.status_code == 422
    outline(page.text)
    link = re.search(r'href="([^"]*rows=samples[^"]*)"', page.text)
    assert link is not None
    assert client.get(link[1]).status_code == 200


def test_a_retired_version_is_not_asked(house: House) -> None:
    """Said as a state of the page, with the way back."""
    register(house, FEATURES, ROWS, version="1")
    register(house, FEATURES, ROWS, version="2")
    house.rooms.registry.retire("credit", "1")
    client, _ = house.person("analyst")
    page = client.get(f"{IMPORTANCE}?version=1")
    assert page.status_code == 409
    outline(page.text)
    assert "Not in service" in page.text


def test_a_failing_model_is_a_page(house: House) -> None:
    """As everywhere: the code, and the number of the request."""
    register(house, FEATURES, ROWS)
    house.workers.failing = ModelFailed("it divided by zero")
    client, _ = house.person("analyst")
    page = client.get(IMPORTANCE, headers={"Accept": "text/html"})
    assert page.status_code == 502
    outline(page.text)


def test_markup_in_a_model_is_text(house: House) -> None:
    """Feature names, categories and classes are shown, never obeyed."""
    kind = Feature("kind<b>", "category", categories=(SCRIPT, 'a"b'), description=SCRIPT)
    rows = [{"kind<b>": (SCRIPT, 'a"b')[i % 2]} for i in range(24)]
    more = {"classes": (SCRIPT, "<b>"), "positive_class": SCRIPT}
    register(house, (kind,), rows, version="1", decision=DecisionSpec(0.5, "<i>", SCRIPT), **more)
    register(house, (kind,), rows, version="2", decision=DecisionSpec(0.5, "<i>", SCRIPT), **more)
    client, _ = house.person("analyst")
    for path in (IMPORTANCE, COMPARE, f"{COMPARE}?rows=samples"):
        page = client.get(path)
        assert page.status_code == 200
        outline(page.text)
        assert "&lt;script&gt;" in page.text
    for rows_of in ("background", "samples"):
        page = client.get(DEPENDENCE, query_string={"feature": "kind<b>", "rows": rows_of})
        outline(page.text)
        assert "&lt;script&gt;" in page.text


def test_every_page_is_one_entry(house: House) -> None:
    """Shown or refused."""
    register(house, FEATURES, ROWS)
    client, _ = house.person("analyst")
    refused, _ = house.person("application")
    for who in (client, refused):
        for path in (MODEL, IMPORTANCE, f"{DEPENDENCE}?feature=amount", f"{DEPENDENCE}?feature=x", COMPARE):
            before = len(house.entries())
            who.get(path, headers={"Accept": "text/html"})
            assert len(house.entries()) - before == 1, path
