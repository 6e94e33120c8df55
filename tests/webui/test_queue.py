"""The queue: what it shows, how it is narrowed, views, giving cases to people, and its empty states."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from explainer.records import DecisionSpec
from tests.house import House
from tests.registry.folders import ROW
from tests.usecases.test_decisions import brought, entered, person
from tests.webui.site import SCRIPT, outline


def shown(client: FlaskClient, **query: str) -> TestResponse:
    answer = client.get("/decisions", query_string=query)
    assert answer.status_code == 200, answer.text
    outline(answer.text)
    return answer


def names(page: TestResponse) -> list[str]:
    return re.findall(r'class="open" id="dec_\w+" href="[^"]*">([^<]*)</a>', page.text)


def test_what_needs_a_person_comes_first(house: House) -> None:
    """The weightier flags come first, each case with its outcome, score and due date; each flag with its count."""
    house.register(decision=DecisionSpec(0.5, "granted", "declined"))
    brought(house, external_id="far", instance={**ROW, "purpose": "car"}, due_days=3)
    brought(house, external_id="near", threshold=0.78, outcome="declined")
    client, _ = house.person("analyst")
    page = shown(client)
    assert names(page) == ["near", "far"]
    assert "<strong>2</strong> decisions" in page.text
    assert re.search(r"<strong>1</strong> near the threshold", page.text)
    assert "due in 3 days" in page.text
    assert "score 0.789, threshold 0.78" in page.text


def test_filters_narrow_the_list_and_stay_chosen(house: House) -> None:
    """Each filter leaves what it names; the chips count as if no flag were chosen."""
    house.register()
    near, far = brought(house, external_id="near", threshold=0.78), brought(house, external_id="far", threshold=0.1)
    client, token = house.person("analyst")
    assert names(shown(client, flag="near-threshold")) == ["near"]
    assert "<strong>2</strong> protected factor" in shown(client, flag="near-threshold").text
    assert names(shown(client, adverse="no")) == []
    assert set(names(shown(client, adverse="yes", model="credit"))) == {"near", "far"}
    assert names(shown(client, sort="margin")) == ["near", "far"]
    assert names(shown(client, show="decided")) == []
    entered(house, person(house, "rita"), far, "uphold")
    assert names(shown(client, show="decided")) == ["far"]
    client.post(f"/decisions/{near.facts.id}/assign", data={"token": token, "person": "me"})
    assert names(shown(client, assignee="me")) == ["near"]
    page = shown(client, assignee="me", sort="due", overdue="1")
    assert names(page) == []
    assert '<option value="due" selected>' in page.text
    assert 'value="1" checked' in page.text


def test_somebody_is_found_by_the_whole_external_id_in_any_model(house: House) -> None:
    """Whatever state the case is in; a part of an id finds nothing, and the page says why."""
    house.register()
    case = brought(house, external_id="Maria Keller")
    entered(house, person(house, "rita"), case, "uphold")
    client, _ = house.person("analyst")
    assert names(shown(client, external="Maria Keller")) == ["Maria Keller"]
    assert names(shown(client, external="Maria Keller", model="credit", show="all")) == ["Maria Keller"]
    assert "parts of it find nothing" in shown(client, external="Maria").text


def test_a_case_is_taken_and_given_back(house: House) -> None:
    """From its row, and the way leads back to the same filters; for somebody else's case it is taken over."""
    house.register()
    case = brought(house, external_id="A-1")
    client, token = house.person("analyst")
    address = f"/decisions/{case.facts.id}/assign?flag=protected"
    back = client.post(address, data={"token": token, "person": "me"})
    assert back.status_code == 303
    assert back.headers["Location"] == f"/decisions?said=mine&flag=protected#{case.facts.id}"
    assert "<strong>you</strong>" in shown(client, said="mine").text
    client.post(address, data={"token": token, "person": ""})
    assert "<strong>you</strong>" not in shown(client).text
    assert [e.entry.event for e in house.entries() if "assign" in e.entry.event] == ["page:decision:assign"] * 2
    assert client.post(address, data={"token": token, "person": "nobody known"}).status_code == 422


def test_views_are_kept_for_each_person(house: House) -> None:
    """Filters come back under their name, for who saved them alone; nothing else of an address is kept."""
    house.register()
    brought(house)
    client, token = house.person("analyst")
    form = {"token": token, "name": SCRIPT, "query": "flag=protected&sort=due&said=x&page=7&evil=1"}
    back = client.post("/decisions/views", data=form).headers["Location"]
    assert back == "/decisions?flag=protected&sort=due&said=saved"
    page = shown(client)
    assert 'href="/decisions?flag=protected&amp;sort=due">&lt;script&gt;' in page.text
    assert "&lt;script&gt;" not in shown(house.person("analyst")[0]).text
    client.post("/decisions/views", data={"token": token, "name": SCRIPT, "forget": "1"})
    assert "&lt;script&gt;" not in shown(client).text


def test_every_empty_list_says_what_to_do(house: House) -> None:
    """Nothing came in yet, nothing fits, everything is decided, a page too far: each its own words."""
    client, _ = house.person("analyst")
    assert "No model that decides is registered yet" in shown(client).text
    house.register()
    page = shown(client)
    assert "No decision has come in yet" in page.text
    assert "/api/v1/decisions" in page.text
    case = brought(house)
    assert "No decision fits these filters" in shown(client, flag="unmapped").text
    assert "This list has no page 9" in shown(client, page="9").text
    entered(house, person(house, "rita"), case, "uphold")
    assert "Nothing waits for a person" in shown(client).text


def test_pages_of_fifty(house: House) -> None:
    """The first page leads to the second, with the filters; each row knows its place in the whole list."""
    house.register()
    for i in range(51):
        brought(house, external_id=f"A-{i}", threshold=0.1)
    client, _ = house.person("analyst")
    first = shown(client, sort="oldest")
    assert len(names(first)) == 50
    assert 'href="/decisions?sort=oldest&amp;page=2"' in first.text
    second = shown(client, sort="oldest", page="2")
    assert names(second) == ["A-50"]
    assert "at=50" in second.text


def test_the_next_case_is_the_one_after_this(house: House) -> None:
    """Whether this one stayed in the list or left it; after the last one the list says that it was the last."""
    house.register()
    cases = [brought(house, external_id=f"A-{i}") for i in range(3)]
    client, _ = house.person("analyst")
    first, second, third = (c.facts.id for c in cases)

    def following(at: int, this: str) -> str:
        answer = client.get("/decisions/next", query_string={"sort": "oldest", "at": at, "not": this})
        return answer.headers["Location"]

    assert following(0, first) == f"/decisions/{second}?at=1&sort=oldest"
    entered(house, person(house, "rita"), cases[0], "uphold")
    assert following(0, first) == f"/decisions/{second}?at=0&sort=oldest"
    assert following(1, third) == "/decisions?said=end&sort=oldest"


def test_a_program_sees_its_own_decisions_alone(house: House) -> None:
    """A role without the permission to read everybody's lists and finds only what it brought."""
    house.register()
    brought(house, role="application", external_id="hers")
    client, _ = house.person("application")
    assert names(shown(client)) == []
    assert names(shown(client, external="hers")) == []


@pytest.mark.parametrize("query", ["page=0", "page=x", "show=x", "sort=x", "flag=x", "adverse=x"])
def test_words_that_no_filter_has_are_refused(house: House, query: str) -> None:
    """A page says which word is wrong."""
    house.register()
    client, _ = house.person("analyst")
    answer = client.get(f"/decisions?{query}", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.text


def test_markup_in_an_external_id_is_text(house: House) -> None:
    """Names come from outside."""
    house.register()
    brought(house, external_id=SCRIPT)
    client, _ = house.person("analyst")
    assert "&lt;script&gt;" in shown(client).text
    assert SCRIPT not in shown(client, external=SCRIPT, model="credit").text


def test_every_link_keeps_the_path_prefix_of_a_proxy(house: House) -> None:
    """Behind a prefix the list and a case lead nowhere else, and so does the answer to a form."""
    house.register()
    case = brought(house)
    client, token = house.person("analyst")
    behind = {"SCRIPT_NAME": "/review"}
    for path in ("/decisions", f"/decisions/{case.facts.id}"):
        page = client.get(path, environ_overrides=behind)
        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
        assert len(links) > 10
        assert all(link.startswith("/review/") for link in links)
    form = {"token": token, "person": "me"}
    back = client.post(f"/decisions/{case.facts.id}/assign", data=form, environ_overrides=behind)
    assert back.headers["Location"].startswith("/review/decisions?")
