"""People in Chromium: a one-time link, an authenticator app, passkeys of a virtual device, and the account's pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.service.conftest import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class Visitor:
    """A browser of its own with a virtual passkey device; what its console complained of is kept."""

    page: Page
    device: Any
    complaints: list[str]

    def verified(self, verified: bool) -> None:
        """Whether the device recognises who holds it."""
        session, authenticator = self.device
        session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": verified})

    def checked(self) -> None:
        """Hold the page to what holds for every page: nothing for axe to find, no sideways scrolling, both sizes."""
        for name, size in SIZES.items():
            for scheme in ("light", "dark"):
                self.page.set_viewport_size(size)  # type: ignore[arg-type]
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                over = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert over <= 0, (self.page.url, name)
                found = Axe().run(self.page).response["violations"]
                assert not found, (self.page.url, name, scheme, [(v["id"], v["nodes"][0]["html"]) for v in found])


@pytest.fixture
def visitor(browser: Browser, service: Service) -> Iterator[Visitor]:
    """At `localhost`, where browsers allow passkeys; a policy violation or an error in a script fails the test."""
    context = browser.new_context(base_url=service.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield Visitor(page, (session, made["authenticatorId"]), complaints)
    context.close()
    assert not [c for c in complaints if "status of 4" not in c], complaints


def invited(service: Service, name: str, role: str) -> str:
    """Add somebody by the command line; returns the path of their one-time link."""
    done = service.run("users", "add", name, "--role", role, "--link")
    assert done.returncode == 0, done.stderr
    return "/invitation/" + done.stdout.split("/invitation/")[1].strip()


def accept(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_from_the_link_to_a_passkey(visitor: Visitor, service: Service) -> None:
    """An app first, then a passkey; both let in, alone or after the password, and every page on the way is in order."""
    page = visitor.page
    accept(page, invited(service, "carla", "owner"))
    visitor.checked()
    page.goto("/models")
    assert page.url.endswith("/account/set-up?next=/models")
    page.get_by_role("link", name="Set up an app").click()
    visitor.checked()
    secret = page.locator("code.long").inner_text()
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Finish").click()
    assert page.locator(".codes code").count() == 10
    visitor.checked()
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    assert page.url.endswith("/models")
    page.get_by_role("link", name="carla").click()
    page.get_by_role("link", name="Add one").click()
    page.get_by_label("What do you call this device?").fill("work laptop")
    visitor.checked()
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("The passkey is added.").wait_for()
    assert page.get_by_text("Passkey work laptop").is_visible()
    visitor.checked()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/models")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "carla")
    visitor.checked()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/models")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "carla")
    page.get_by_label("Code of your authenticator app").fill(code)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/models")


def test_a_device_that_does_not_recognise_its_holder_opens_nothing(visitor: Visitor, service: Service) -> None:
    """User verification is asked for: with somebody else's finger the page says that there was no passkey."""
    page = visitor.page
    accept(page, invited(service, "dora", "owner"))
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("What do you call this device?").fill("telephone")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    visitor.verified(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.locator(".problem:not([hidden])").wait_for()
    assert page.url.endswith("/sign-in")
    page.goto("/models")
    assert "/sign-in" in page.url


def test_an_administrator_at_work(visitor: Visitor, service: Service) -> None:
    """People and keys, with a key that works at once, and stops at once when it is revoked."""
    page = visitor.page
    accept(page, invited(service, "emma", "administrator"))
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("What do you call this device?").fill("telephone")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="People").click()
    visitor.checked()
    page.get_by_label("Name").fill("frida")
    page.get_by_label("Role").select_option("reviewer")
    page.get_by_role("button", name="Add and make a link").click()
    visitor.checked()
    assert "/invitation/" in page.locator(".secret").inner_text()
    page.get_by_role("link", name="I have sent it").click()
    visitor.checked()
    page.get_by_role("link", name="Keys").click()
    page.get_by_label("What uses it").fill("loan desk")
    page.get_by_role("button", name="Issue the key").click()
    key = page.locator(".secret").inner_text().strip()
    visitor.checked()
    page.get_by_role("link", name="I have kept it").click()
    visitor.checked()
    mine = {"Authorization": f"Bearer {key}"}
    assert service.call("GET", "/api/v1/models", **mine).status == 200
    row = page.locator("li.key-row", has_text=key.split("_")[1])
    row.get_by_role("button", name="Revoke").click()
    assert service.call("GET", "/api/v1/models", **mine).status == 401
