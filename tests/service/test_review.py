"""Decisions in Chromium: two people with a second factor go from the list to an override that takes effect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader

from tests.service.conftest import Service
from tests.service.test_identity import DEVICE, Visitor, accept, invited, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
MODEL, NAME = "credit-gbm", "Maria Keller"
WHY = "Her mother stands in for the loan; the papers came in today."


@pytest.fixture(scope="module")
def brought(service: Service) -> dict[str, Any]:
    """Twelve decisions; the first, of a named person, is refused. Another one is judged blind first."""
    found = []
    for i, row in enumerate(service.samples(MODEL)[:12]):
        body = {"model": MODEL, "instance": row, "external_id": NAME if i == 0 else f"A-{i}", "blind": i == 5}
        answer = service.call("POST", "/api/v1/decisions", body)
        assert answer.status == 201, answer.body
        found.append(answer.body["decision"])
    first: dict[str, Any] = found[0]
    assert first["outcome"] == "declined"
    return first


@contextmanager
def arriving(browser: Browser, service: Service, name: str, role: str) -> Iterator[Visitor]:
    """Somebody who comes by a link, sets up a passkey, and signs in again with password and passkey."""
    context = browser.new_context(base_url=service.url.replace("127.0.0.1", "localhost"))
    page, complaints = context.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    accept(page, invited(service, name, role))
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("What do you call this device?").fill("laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    sign_in(page, name)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/decisions")
    yield Visitor(page, (session, made["authenticatorId"]), complaints)
    context.close()
    assert not [c for c in complaints if "status of 4" not in c], complaints


def find(page: Page, name: str) -> None:
    page.get_by_label("Find by name or number").fill(name)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name).wait_for()


def probability(service: Service, row: dict[str, Any]) -> str:
    answer = service.call("POST", f"/api/v1/models/{MODEL}/predict", {"instances": [row]})
    return f"{100 * answer.body['predictions'][0]['prediction']:.1f} %"


def test_from_the_list_to_an_override_that_takes_effect(
    browser: Browser, service: Service, brought: dict[str, Any]
) -> None:
    """An analyst finds why somebody was refused, tries values, overrides; a reviewer confirms; all is in the audit."""
    with arriving(browser, service, "anna", "analyst") as analyst:
        page = analyst.page
        page.get_by_role("link", name=re.compile("protected factor")).click()
        assert all("protected factor" in row.inner_text() for row in page.locator(".queue tbody tr").all())
        analyst.checked()
        find(page, NAME)
        assert page.locator(".decided .big").inner_text() == "declined"
        assert f"{100 * brought['score']:.1f} %" in page.locator(".decided").inner_text()
        assert brought["reasons"][0]["text"] in page.locator(".plainwords li").first.inner_text()
        row = service.samples(MODEL)[0]
        page.locator("form.tryform").get_by_label("duration months").fill("12")
        wanted = probability(service, {**row, "duration_months": 12})
        page.locator("#what-if-answer .big", has_text=wanted).wait_for()
        page.get_by_role("button", name="Find similar cases").click()
        page.get_by_text("nearest rows of the background").wait_for()
        page.get_by_role("button", name="Look for changes").click()
        page.get_by_role("button", name=re.compile("Try it in what-if")).first.click()
        assert page.get_by_text("instead of declined").is_visible()
        analyst.checked()
        page.get_by_label("Override it").check()
        page.get_by_label("Reason").select_option(index=3)
        page.get_by_role("button", name="Enter the verdict").click()
        assert page.locator("#v-text").get_attribute("aria-invalid") == "true"
        analyst.checked()
        page.get_by_label("In your words").fill(WHY)
        page.get_by_role("button", name="Enter the verdict").click()
        assert "You proposed to override it: granted." in page.locator(".done").inner_text()
        assert "Four eyes." in page.locator("#verdict").inner_text()
        assert page.get_by_label("Confirm the override").count() == 0
        analyst.checked()
    with arriving(browser, service, "rita", "reviewer") as reviewer:
        page = reviewer.page
        page.get_by_role("link", name="Second look").click()
        page.get_by_role("link", name=NAME).click()
        assert WHY in page.locator(".history").inner_text()
        page.get_by_label("Confirm the override").check()
        page.get_by_label("Reason").select_option(index=1)
        page.get_by_role("button", name="Enter the verdict").click()
        assert "From now on the outcome is “granted”." in page.locator(".done").inner_text()
        assert "Now: granted." in page.locator(".decided").inner_text()
        assert page.get_by_role("link", name="The notice to the person").is_visible()
        reviewer.checked()
    kept = service.call("GET", f"/api/v1/decisions/{brought['id']}").body
    assert [(v["kind"], v["name"]) for v in kept["verdicts"]] == [("override", "anna"), ("confirm", "rita")]
    assert kept["final_outcome"] == "granted"
    with arriving(browser, service, "otto", "auditor") as auditor:
        for event in ("decision:show", "decision:what-if", "decision:changes", "verdict:create"):
            auditor.page.goto(f"/audit?event=page:{event}")
            auditor.page.locator("section[aria-labelledby=entries] tbody a").first.click()
            assert brought["id"] in auditor.page.locator("main").inner_text(), event


def test_a_blind_case_keeps_its_answer_until_one_has_judged(
    browser: Browser, service: Service, brought: dict[str, Any]
) -> None:
    """The answer is nowhere on the page before, and beside one's own judgement after."""
    with arriving(browser, service, "bela", "analyst") as analyst:
        page = analyst.page
        find(page, "A-5")
        assert "You judge first." in page.locator(".decided").inner_text()
        assert page.locator(".outcome").count() == 0
        analyst.checked()
        page.get_by_label("granted", exact=True).check()
        page.get_by_role("button", name="Say it, and show the answer").click()
        assert "You said “granted”" in page.locator(".done").inner_text()
        assert page.locator(".decided .big").is_visible()


def declined(service: Service, *, blocked: bool) -> dict[str, Any]:
    """A decision of its own that was declined, whose notice is blocked by a protected factor or by nothing."""
    for row in service.samples("credit-xgb"):
        body = {"model": "credit-xgb", "instance": row, "blind": False}
        found: dict[str, Any] = service.call("POST", "/api/v1/decisions", body).body["decision"]
        codes = {b["code"] for b in found["blocked"]}
        if found["adverse"] and codes == ({"protected-factor"} if blocked else set()):
            return found
    raise AssertionError("none of the samples is such a decision")


def test_the_notice_says_what_the_case_says(browser: Browser, service: Service) -> None:
    """From the case to the page, in another language, and as the PDF: the reasons are those of the case, in order."""
    case = declined(service, blocked=False)
    texts = [reason["text"] for reason in case["reasons"]]
    with arriving(browser, service, "nora", "analyst") as analyst:
        page = analyst.page
        page.goto(f"/decisions/{case['id']}")
        page.get_by_role("link", name="The notice to the person").click()
        assert page.locator(".sheet ol").first.locator("li").all_inner_texts() == texts
        analyst.checked()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Download as PDF").click()
        printed = " ".join(" ".join(p.extract_text().split()) for p in PdfReader(waiting.value.path()).pages)
        places = [printed.index(text) for text in texts]
        assert places == sorted(places)
        page.get_by_role("link", name="Deutsch").click()
        assert page.locator(".sheet h1, .sheet h2").first.inner_text() != "Notice of a decision"
        analyst.checked()
    blocked = declined(service, blocked=True)
    with arriving(browser, service, "nils", "reviewer") as reviewer:
        answer = reviewer.page.goto(f"/decisions/{blocked['id']}/notice")
        assert answer is not None
        assert answer.status == 409
        assert "protected" in reviewer.page.get_by_role("alert").inner_text()
        reviewer.checked()


def test_the_queue_by_keys_alone(browser: Browser, service: Service, brought: dict[str, Any]) -> None:
    """j and k move, a takes, Enter opens, ? tells; letters typed into a field stay letters."""
    with arriving(browser, service, "kurt", "analyst") as analyst:
        page = analyst.page
        page.keyboard.press("?")
        assert page.get_by_role("heading", name="Keys").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("j")
        second = page.locator("a.open").nth(1)
        assert second.evaluate("a => a === document.activeElement")
        name = second.inner_text()
        page.keyboard.press("a")
        page.wait_for_url("**said=mine**")
        row = page.locator(".queue tbody tr", has_text=name).first
        assert "you" in row.inner_text()
        row.locator("a.open:focus").wait_for()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=name).wait_for()
        page.goto("/decisions")
        page.keyboard.press("/")
        page.keyboard.type("jack?")
        assert page.get_by_label("Find by name or number").input_value() == "jack?"


def test_a_case_loads_little_and_from_here_only(browser: Browser, service: Service, brought: dict[str, Any]) -> None:
    """The first load of the fullest page is under 150 kB even before it is compressed, and asks no other host."""
    with arriving(browser, service, "lena", "analyst") as analyst:
        sizes: dict[str, int] = {}
        analyst.page.on("response", lambda r: sizes.update({r.url: len(r.body())}))
        analyst.page.goto(f"/decisions/{brought['id']}")
        analyst.page.wait_for_load_state("networkidle")
        assert sum(sizes.values()) < 150_000, sizes
        assert all(url.startswith("http://localhost") for url in sizes)
