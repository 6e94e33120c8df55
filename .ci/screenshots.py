"""Takes a picture of each page of a demo that runs, at 1440 and 390 px, light and dark: `make screenshots`.

Needs EXPLAINER_VAR to be the demo's folder, as it reads the demo's password and looks decisions up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {1440: 900, 390: 844}
PROGRAMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
MODEL = "credit-gbm"


def pages(page: Page) -> dict[str, str]:
    """The address of each page by the name of its picture; the case is the first declined one of the queue."""
    page.goto("/decisions?adverse=yes")
    case = page.locator("table a[href*='/decisions/dec_']").first.get_attribute("href") or ""
    case = case.split("?", maxsplit=1)[0]
    page.goto("/models")
    return {
        "queue": "/decisions",
        "case": case,
        "notice": f"{case}/notice",
        "models": "/models",
        "model": f"/models/{MODEL}",
        "explain": f"/models/{MODEL}/explain?sample=0",
        "importance": f"/models/{MODEL}/importance",
        "compare": f"/models/{MODEL}/compare",
        "exports": "/exports",
        "audit": "/audit",
        "account": "/account",
    }


def take(browser: Browser, base: str, password: str, folder: Path) -> int:
    """Write the pictures; returns how many."""
    taken = 0
    for scheme in ("light", "dark"):
        for width, height in SIZES.items():
            context = browser.new_context(
                base_url=base,
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page = context.new_page()
            page.goto("/sign-in")
            page.screenshot(path=folder / f"sign-in-{width}-{scheme}.png", full_page=True)
            page.get_by_label("Name").fill("demo")
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            for name, address in pages(page).items():
                page.goto(address)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                taken += 1
            context.close()
    return taken


def wait(base: str) -> None:
    """Until the service is ready, at most two minutes."""
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=5):  # noqa: S310
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def main() -> int:
    """Start the demo, take the pictures into the folder that is named, and stop it."""
    folder, port = Path(sys.argv[1]), "8391"
    folder.mkdir(parents=True, exist_ok=True)
    base = f"http://127.0.0.1:{port}"
    explainer = Path(sys.executable).with_name("explainer")
    demo = subprocess.Popen([str(explainer), "demo", "--port", port, "--models", "models"])  # noqa: S603
    try:
        wait(base)
        password = (Path(os.environ.get("EXPLAINER_VAR", "var/demo")) / "sign-in").read_text().strip()
        program = next(p for p in PROGRAMS if Path(p).exists())
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program, args=["--headless", "--no-sandbox"])
            print(f"{take(browser, base, password, folder)} pictures in {folder}")  # noqa: T201
    finally:
        demo.terminate()
        demo.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
