"""Which pages of other origins may read the API's answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainer.api.cors import origins
from explainer.settings import SettingsError
from tests.house import House, build

PAGE = "https://app.example"


def named(folder: Path) -> House:
    return build(folder, cors_origins=f"{PAGE}, http://localhost:3000")


def allowed(house: House, path: str, origin: str) -> str | None:
    headers = {"Origin": origin, "Authorization": f"Bearer {house.key()}"}
    return house.client().get(path, headers=headers).headers.get("Access-Control-Allow-Origin")


def test_no_origin_is_named_by_default(house: House) -> None:
    """Without the setting no answer carries a word of CORS, and a preflight allows nothing."""
    for method in ("GET", "OPTIONS"):
        answer = house.client().open("/api/v1/models", method=method, headers={"Origin": PAGE})
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


def test_named_origins_may_read_the_api(tmp_path: Path) -> None:
    """Answers and errors name the page's own origin, never a star and never credentials."""
    house = named(tmp_path)
    answer = house.client().get("/api/v1/models", headers={"Origin": PAGE})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example", f"{PAGE}:444", "*", ""],
)
def test_other_origins_may_not(tmp_path: Path, origin: str) -> None:
    """A neighbour, a longer name, another scheme or port, and the origin of a sandboxed page get nothing."""
    assert allowed(named(tmp_path), "/api/v1/models", origin) is None


def test_pages_are_never_shared(tmp_path: Path) -> None:
    """Only the API is: pages go by the session's cookie."""
    assert allowed(named(tmp_path), "/sign-in", PAGE) is None


def test_a_preflight_is_answered(tmp_path: Path) -> None:
    """Methods of the route and the headers that a program sends; a stranger's preflight allows nothing."""
    house = named(tmp_path)
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    answer = house.client().options("/api/v1/models/x/explain", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    refused = house.client().options("/api/v1/models/x/explain", headers=asked | {"Origin": "https://evil.example"})
    assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "text", ["*", "https://*.example", "app.example", "https://app.example/", "ftp://a", "https://"]
)
def test_origins_are_read_strictly(text: str) -> None:
    """A star, a path, a bare name or another scheme is refused at the start."""
    with pytest.raises(SettingsError, match="EXPLAINER_CORS_ORIGINS"):
        origins(text)
