"""Whole journeys through the pages in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.service.conftest import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def person(service: Service) -> str:
    done = service.run("users", "add", "berta", "--role", "demo", "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    return "berta"


@pytest.fixture
def page(browser: Browser, service: Service, person: str) -> Iterator[Page]:
    """A signed-in page; an error in the console, a policy violation among them, fails the test."""
    context = browser.new_context(base_url=service.url)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: complaints.append(str(e)))
    sign_in(opened, person)
    yield opened
    context.close()
    assert not [c for c in complaints if "status of 4" not in c], complaints


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_sign_in_and_explain_a_row(page: Page, service: Service) -> None:
    """A person signs in, picks a model and a row, and sees what the API says of that row."""
    page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name="credit-gbm").click()
    page.get_by_role("link", name="Explain a row").first.click()
    page.get_by_label("Try one of").select_option(index=2)
    page.get_by_role("button", name="Explain this row").first.click()
    expected = service.explain("credit-gbm", [service.samples("credit-gbm")[2]]).body["explanations"][0]
    shown = page.locator(".verdict .big").inner_text()
    assert shown == f"{100 * expected['prediction']:.1f} %"
    largest = max(expected["attributions"], key=lambda a: abs(a["attribution"]))
    first = page.locator("section[aria-labelledby=shap] tbody tr").nth(1)
    assert largest["feature"].replace("_", " ") in first.inner_text()
    assert f"{abs(100 * largest['attribution']):.1f}" in first.inner_text()
    assert page.locator("svg[role=img]").count() > 20
    assert page.get_by_text("A second opinion").is_visible()
    assert page.get_by_text(expected["method"]["reason"]).is_visible()


def test_a_typed_row_with_a_mistake_can_be_mended(page: Page) -> None:
    """A wrong value is named beside its field; once mended the row is explained."""
    page.goto("/models/credit-xgb/explain?sample=0")
    page.get_by_text("Change a value").click()
    form = page.locator("form[method=post].stack")
    form.get_by_label("amount dm").fill("a lot")
    form.get_by_role("button", name="Explain these values").click()
    field = form.get_by_label("amount dm")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == "a lot"
    assert page.locator(".verdict").count() == 0
    field.fill("2500")
    form.get_by_role("button", name="Explain these values").click()
    assert re.fullmatch(r"\d+\.\d %", page.locator(".verdict .big").inner_text())


def test_a_receipt_is_replayed(page: Page) -> None:
    """The receipt of an explanation leads to a page that computes it again, the same to the bit."""
    page.goto("/models/credit-mlp/explain?sample=1")
    page.locator("a[href*='/receipts/']").click()
    page.get_by_role("button", name="Compute it again").click()
    assert "to the bit" in page.get_by_role("status").inner_text()


def test_signing_out_ends_the_session(page: Page, service: Service) -> None:
    """After signing out the old cookie opens nothing."""
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto("/models")
    assert page.get_by_role("heading", name="Sign in").is_visible()


def test_a_wrong_password_is_refused_without_saying_which(browser: Browser, service: Service, person: str) -> None:
    """An unknown name and a wrong password read the same."""
    texts = []
    for name in (person, "nobody"):
        context = browser.new_context(base_url=service.url)
        opened = context.new_page()
        sign_in(opened, name, "not the password")
        texts.append(opened.get_by_role("alert").inner_text())
        context.close()
    assert texts[0] == texts[1]


def test_the_way_back_after_signing_in_stays_here(browser: Browser, service: Service, person: str) -> None:
    """`next` leads to a page of this service only."""
    context = browser.new_context(base_url=service.url)
    opened = context.new_page()
    opened.goto("/sign-in?next=//evil.example/x")
    opened.get_by_label("Name").fill(person)
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    assert opened.url == service.url + "/decisions"
    context.close()


def test_a_form_without_its_token_is_refused(page: Page) -> None:
    """A post that does not carry the session's token changes and computes nothing."""
    answer = page.request.post("/models/credit-gbm/explain", form={"row-age_years": "30"})
    assert answer.status == 403


PAGES = [
    "/models",
    "/models/credit-gbm",
    "/models/credit-mlp/explain",
    "/models/credit-mlp/explain?sample=2",
    "/models/credit-gbm/importance",
    "/models/credit-mlp/importance?rows=samples",
    "/models/credit-gbm/importance?rows=mine",
    "/models/credit-gbm/dependence?feature=duration_months",
    "/models/credit-mlp/dependence?feature=duration_months&rows=samples",
    "/models/credit-mlp/dependence?feature=purpose&rows=samples",
    "/models/credit-gbm/compare",
    "/exports",
    "/exports/new",
    "/audit",
    "/audit?since=noon",
    "/audit/entries/1",
    "/models/x",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_are_accessible_and_fit(browser: Browser, service: Service, person: str, size: str, theme: Any) -> None:
    """axe finds no violation on any page, and no page is wider than the screen, in both themes and sizes."""
    context = browser.new_context(base_url=service.url, color_scheme=theme, viewport=SIZES[size])  # type: ignore[arg-type]
    opened = context.new_page()
    opened.goto("/sign-in")
    found = {"/sign-in": Axe().run(opened).response["violations"]}
    sign_in(opened, person)
    opened.wait_for_url("**/decisions")
    for path in PAGES:
        opened.goto(path)
        found[path] = Axe().run(opened).response["violations"]
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    context.close()
    told = {p: [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in vs] for p, vs in found.items() if vs}
    assert not told


def test_pages_load_little_and_from_here_only(page: Page, service: Service) -> None:
    """A page asks no other host, and all of it is under 150 kB."""
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}))
    page.goto("/models/credit-gbm/explain?sample=1")
    assert all(url.startswith(service.url) for url in sizes)
    assert sum(sizes.values()) < 150_000
