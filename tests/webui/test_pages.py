"""What holds for all pages: the way through them, errors, and that nothing in a request is markup."""

from __future__ import annotations

import re

import pytest

from explainer.errors import ModelFailed, WorkerTimedOut
from tests.house import House
from tests.registry.folders import FEATURES, ROW
from tests.webui.site import SCRIPT, explained, outline, register


def test_the_journey_of_a_reviewer(house: House) -> None:
    """List, model, explanation, receipt, replay: every page is whole and leads to the next."""
    register(house, FEATURES, [ROW, {**ROW, "months": None}])
    client, token = house.person("reviewer")
    paths = ["/models", "/models/credit", "/models/credit/explain"]
    pages = [client.get(path) for path in paths]
    assert [page.status_code for page in pages] == [200, 200, 200]
    for page, following in zip(pages, paths[1:], strict=False):
        outline(page.text)
        assert f'href="{following}"' in page.text
    text = explained(client)
    receipt = re.search(r"/receipts/(rcp_\w+)", text)
    assert receipt is not None
    shown = client.get(receipt[0])
    outline(shown.text)
    assert "Compute it again" in shown.text
    replayed = client.post(receipt[0], data={"token": token})
    assert "the same, to the bit" in replayed.text
    house.workers.shift = 0.25
    assert "NOT the same. The largest difference is 0.25" in client.post(receipt[0], data={"token": token}).text


def test_markup_in_a_request_is_text(house: House) -> None:
    """What comes with the address or a form is shown as it was typed."""
    register(house, FEATURES, [ROW])
    client, token = house.person()
    form = {"token": token, "row-amount": SCRIPT, "row-months": "24", "row-purpose": SCRIPT, "row-phone": "true"}
    page = client.post("/models/credit/explain", data=form)
    assert page.status_code == 422
    outline(page.text)
    assert "&lt;script&gt;" in page.text
    for path in (f"/models/{SCRIPT}", f"/receipts/{SCRIPT}", "/models/credit?version=<b>", "/sign-in?next=/<b>"):
        outline(client.get(path, headers={"Accept": "text/html"}).text)
    sign_in = house.client().post("/sign-in", data={"name": SCRIPT, "password": SCRIPT})
    assert sign_in.status_code == 401
    outline(sign_in.text)


@pytest.mark.parametrize(("error", "status"), [(ModelFailed("it divided by zero"), 502), (WorkerTimedOut("slow"), 504)])
def test_a_failing_model_is_a_page_that_says_so(house: House, error: Exception, status: int) -> None:
    """A person reads what failed, its code and the request's number, with the way back."""
    register(house, FEATURES, [ROW])
    house.workers.failing = error
    client, _ = house.person()
    page = client.get("/models/credit/explain?sample=0", headers={"Accept": "text/html"})
    assert page.status_code == status
    outline(page.text)
    assert page.headers["X-Request-ID"] in page.text
    assert "Back to the models" in page.text


def test_home_is_for_browsers_and_for_programs(house: House) -> None:
    """A browser is led to signing in, or to what its person begins with; anything else gets a sign of life."""
    client = house.client()
    browser = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (browser.status_code, browser.headers["Location"]) == (302, "/sign-in?next=/")
    for role, first in (("analyst", "/decisions"), ("owner", "/models")):
        person, _ = house.person(role)
        assert person.get("/", headers={"Accept": "text/html"}).headers["Location"] == first
    for accept in ("*/*", "application/json", ""):
        assert client.get("/", headers={"Accept": accept}).json == {"status": "alive"}
