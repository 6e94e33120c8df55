"""Pages of limits, exports and compared versions in Chromium, as owners and analysts see them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from explainer.access.admit import Access
from explainer.access.sessions import Origin
from explainer.settings import SESSION_COOKIE
from tests.service.conftest import Service
from tests.service.test_pages import SIZES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sessions(service: Service) -> Iterator[dict[str, str]]:
    """A session past its second factor for each role."""
    access = Access(service.var / "access.db")
    people = {role: access.people.add(f"{role} of limits", "correct horse battery", role) for role in ("owner", "demo")}
    yield {role: access.door.begin(one, Origin("127.0.0.1"), proven=True) for role, one in people.items()}
    access.close()


@pytest.fixture(scope="module")
def versions(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A model with two versions that can be compared, apart from the demo models that other tests count."""
    for version, origin in (("1.0", "credit-gbm"), ("2.0", "credit-xgb")):
        folder = tmp_path_factory.mktemp("versions") / version
        shutil.copytree(service.models / origin, folder)
        manifest = folder / "manifest.toml"
        text = manifest.read_text().replace(f'name = "{origin}"', 'name = "credit-two"', 1)
        manifest.write_text(text.replace('version = "1.0"', f'version = "{version}"', 1))
        done = service.run("register", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
    yield "credit-two"
    for version in ("1.0", "2.0"):
        assert service.run("models", "retire", "credit-two", version).returncode == 0


def opened(browser: Browser, service: Service, session: str, **settings: Any) -> BrowserContext:
    context = browser.new_context(base_url=service.url, **settings)
    context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": service.url}])
    return context


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_these_pages_are_accessible_and_fit(
    browser: Browser, service: Service, sessions: dict[str, str], versions: str, size: str, theme: Any
) -> None:
    """axe finds no violation, and no page is wider than the screen, in both themes and sizes."""
    pages = {
        "owner": ["/limits/policies", "/limits/budgets"],
        "demo": [f"/models/{versions}/compare?rows={rows}" for rows in ("background", "samples")],
    }
    told: dict[str, Any] = {}
    for role, paths in pages.items():
        context = opened(browser, service, sessions[role], color_scheme=theme, viewport=SIZES[size])
        page = context.new_page()
        for path in paths:
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            violations = Axe().run(page).response["violations"]
            if violations:
                told[path] = [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in violations]
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        context.close()
    assert not told


def test_a_table_is_explained_in_the_browser(
    browser: Browser, service: Service, sessions: dict[str, str], tmp_path: Path
) -> None:
    """Chosen, started, watched by the page's own script until it is done, and downloaded with the digest it names."""
    context = opened(browser, service, sessions["demo"])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto("/exports/new?model=credit-gbm")
    page.get_by_label("Table, a CSV file").set_input_files(service.models / "credit-gbm" / "background.csv")
    page.get_by_role("button", name="Start the export").click()
    page.locator("[data-state=done]").wait_for(timeout=60_000)
    assert page.locator("[data-what=explained]").inner_text() == "100"
    assert not Axe().run(page).response["violations"]
    with page.expect_download() as download:
        page.get_by_role("link", name="explanations.csv").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 101
    context.close()
    assert not complaints
