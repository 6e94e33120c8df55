"""Pages of limits: policies, holds, the extraction meter and budgets, for owners and administrators."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from explainer.access.budgets import Limits
from explainer.disclosure.levels import Policy
from explainer.records import ExplainOptions
from explainer.usecases.explain import ExplainAsk, explain
from tests.house import House
from tests.registry.folders import ROW
from tests.webui.site import SCRIPT, outline
from webui.budgets import told

POLICIES, BUDGETS = "/limits/policies", "/limits/budgets"


@pytest.fixture
def boss(house: House) -> tuple[FlaskClient, str]:
    house.register()
    return house.person("administrator")


def test_a_policy_is_chosen_and_reset(house: House, boss: tuple[FlaskClient, str]) -> None:
    """It holds at once, is listed with who chose it, and goes again."""
    client, token = boss
    form = {"token": token, "role": "analyst", "model": "credit", "detail": "reasons", "most": "3"}
    assert client.post(POLICIES, data={**form, "prediction": "rounded"}).headers["Location"] == POLICIES
    chosen = Policy(values=False, most=3, detail="reasons", prediction="rounded")
    assert house.rooms.policies.of("analyst", "credit") == chosen
    page = client.get(POLICIES).text
    outline(page)
    assert "at most 3" in page
    assert "leading features in order, no sizes" in page
    client.post(f"{POLICIES}/reset", data={"token": token, "role": "analyst", "model": "credit"})
    assert house.rooms.policies.of("analyst", "credit").whole
    again = client.post(f"{POLICIES}/reset", data={"token": token, "role": "analyst", "model": "credit"})
    assert again.status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"role": "king"},
        {"role": "analyst", "detail": "full", "prediction": "none"},
        {"role": "analyst", "detail": SCRIPT},
        {"role": "analyst", "most": "many"},
        {"role": "analyst", "most": "٣"},
        {"role": "analyst", "model": SCRIPT},
    ],
)
def test_a_policy_that_cannot_be_is_said(house: House, boss: tuple[FlaskClient, str], form: dict[str, str]) -> None:
    """A whole page with the reason; nothing is changed."""
    client, token = boss
    page = client.post(POLICIES, data={"token": token, **form}, headers={"Accept": "text/html"})
    assert page.status_code == 422
    outline(page.text)
    assert all(not p.changed_by for p in house.rooms.policies.all())


def test_what_is_held_back_is_let_go(house: House, boss: tuple[FlaskClient, str]) -> None:
    """With why it was held back."""
    client, token = boss
    house.rooms.policies.hold("key_abcd2345", "credit", "refused", f"a clone would agree {SCRIPT}")
    page = client.get(POLICIES).text
    outline(page)
    assert "key_abcd2345" in page
    assert "&lt;script&gt;" in page
    client.post(f"{POLICIES}/release", data={"token": token, "principal": "key_abcd2345", "model": "credit"})
    assert house.rooms.policies.holds() == []
    assert "Nothing is held back" in client.get(POLICIES).text


def test_the_meter_is_shown_to_owners_of_the_model(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Principal, version and rows; before anybody asked, the page says so."""
    client, _ = boss
    assert "Nobody has asked anything" in client.get(POLICIES).text
    explain(house.rooms, house.serving, house.caller("analyst"), ExplainAsk("credit", [ROW], ExplainOptions()))
    house.rooms.extraction.flush()
    owner, _ = house.person("owner")
    page = owner.get(POLICIES).text
    outline(page)
    assert "key_analyst" in page
    assert "credit 1.0" in page
    assert "not judged yet" in page


def test_a_budget_is_set_and_reset(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Bounds in words; an empty field is no bound."""
    client, token = boss
    form = {"token": token, "whom": "key_abcd2345", "model": "credit", "rows_day": "12 000", "evaluations_version": "9"}
    assert client.post(BUDGETS, data=form).headers["Location"] == BUDGETS
    set_one = next(b for b in house.rooms.budgets.all() if b.changed_by)
    assert set_one.limits == Limits(rows_day=12_000, evaluations_version=9)
    page = client.get(BUDGETS).text
    outline(page)
    assert "12,000 rows in a day; 9 model rows evaluated of one version, ever" in page
    client.post(f"{BUDGETS}/reset", data={"token": token, "whom": "key_abcd2345", "model": "credit"})
    assert [b for b in house.rooms.budgets.all() if b.changed_by] == []
    assert told(Limits()) == []


@pytest.mark.parametrize(
    "form",
    [{"whom": ""}, {"whom": SCRIPT}, {"whom": "x", "rows_day": "-1"}, {"whom": "x", "rows_day": "9" * 17}],
)
def test_a_budget_that_cannot_be_keeps_what_was_typed(
    house: House, boss: tuple[FlaskClient, str], form: dict[str, str]
) -> None:
    """The form again with the reason; nothing is changed."""
    client, token = boss
    page = client.post(BUDGETS, data={"token": token, "rows_minute": "77", **form})
    assert page.status_code == 422
    outline(page.text)
    assert 'value="77"' in page.text
    assert "Nothing was changed" in page.text
    assert all(not b.changed_by for b in house.rooms.budgets.all())


@pytest.mark.parametrize("role", ["analyst", "reviewer", "auditor", "application", "demo"])
def test_nobody_else_sets_limits(house: House, role: str) -> None:
    """Refused, and no link leads there."""
    house.register()
    client, token = house.person(role)
    assert client.get(POLICIES).status_code == client.get(BUDGETS).status_code == 403
    assert client.post(POLICIES, data={"token": token, "role": "demo"}).status_code == 403
    assert "/limits/" not in client.get("/models").text


def test_every_step_is_one_entry(house: House, boss: tuple[FlaskClient, str]) -> None:
    """Looked at, changed or refused."""
    client, token = boss
    forms: list[tuple[str, dict[str, str]]] = [
        (POLICIES, {"role": "analyst", "detail": "reasons"}),
        (POLICIES, {"role": "king"}),
        (POLICIES, {"role": "analyst", "most": "x"}),
        (f"{POLICIES}/reset", {"role": "analyst"}),
        (f"{POLICIES}/release", {"principal": "x", "model": "credit"}),
        (BUDGETS, {"whom": "analyst", "rows_day": "5"}),
        (BUDGETS, {"whom": "analyst", "rows_day": "x"}),
        (f"{BUDGETS}/reset", {"whom": "analyst"}),
    ]
    for path, form in forms:
        before = len(house.entries())
        client.post(path, data={"token": token, **form}, headers={"Accept": "text/html"})
        assert len(house.entries()) - before == 1, (path, form)
    for path in (POLICIES, BUDGETS):
        before = len(house.entries())
        client.get(path)
        assert len(house.entries()) - before == 1, path
