"""What a browser calls itself, in words that its owner knows again: `Firefox on Linux`."""

from __future__ import annotations

# Each names itself after those that it wants to be taken for, so the order counts.
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    """Return browser and system; it is the browser's own word, good for recognising it and for nothing else."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "another program")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), None)
    return browser if system is None else f"{browser} on {system}"
