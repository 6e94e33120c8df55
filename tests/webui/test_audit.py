"""Pages of the ledger: searched, one entry with its proof, verified and signed; for auditors."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from explainer.ledger.notes import read_note
from explainer.records import LedgerEntry
from tests.house import House
from tests.webui.site import SCRIPT, outline

AUDIT = "/audit"


@pytest.fixture
def auditor(house: House) -> tuple[FlaskClient, str]:
    for i in range(60):
        body: dict[str, str | int | float | bool | None] = {"model": "credit", "rows": i, "note": SCRIPT}
        house.rooms.ledger.append(LedgerEntry("api:explanation:create", f"key_{i % 2}", "answered", f"r{i}", body))
    return house.person("auditor")


def rows(text: str) -> list[int]:
    return [int(n) for n in re.findall(r'/audit/entries/(\d+)">\d+</a></th>', text)]


def test_entries_are_paged_newest_first(auditor: tuple[FlaskClient, str]) -> None:
    """The second page goes on where the first one ended, with the same filters."""
    client, _ = auditor
    page = client.get(f"{AUDIT}?event=api:explanation:create")
    outline(page.text)
    assert rows(page.text) == list(range(60, 10, -1))
    link = re.search(r'href="([^"]+)">Earlier entries', page.text)
    assert link is not None
    second = client.get(html.unescape(link[1])).text
    outline(second)
    assert rows(second) == list(range(10, 0, -1))
    assert "Earlier entries" not in second


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("principal=key_1&request_id=r7", [8]),
        ("principal=key_0&request_id=r7", []),
        ("model=nothing", []),
        ("until=2020-01-01T00:00", []),
        ("outcome=answered&principal=%20key_1%20&before=4", [2]),
    ],
)
def test_what_is_typed_is_what_is_found(auditor: tuple[FlaskClient, str], query: str, expected: list[int]) -> None:
    """Blanks around it are taken off; where nothing fits the page says what to do."""
    client, _ = auditor
    page = client.get(f"{AUDIT}?{query}").text
    outline(page)
    assert rows(page) == expected
    assert ("No entry fits" in page) == (not expected)


def test_a_search_that_cannot_be_read_is_said(auditor: tuple[FlaskClient, str]) -> None:
    """The fields keep what was typed, as text."""
    client, _ = auditor
    for query in ({"since": "noon"}, {"until": "first"}, {"since": SCRIPT}):
        page = client.get(AUDIT, query_string={**query, "principal": SCRIPT})
        assert page.status_code == 422
        outline(page.text)
        assert html.escape(SCRIPT) in page.text


def test_an_entry_shows_its_facts_and_its_proof(house: House, auditor: tuple[FlaskClient, str]) -> None:
    """Seal, leaf, root and path as the ledger computes them; markup in a fact is text."""
    client, _ = auditor
    page = client.get(f"{AUDIT}/entries/7").text
    outline(page)
    proof = house.rooms.ledger.proofs.inclusion(7, 60)
    assert proof.leaf in page
    assert house.rooms.ledger.read(after=6, limit=1)[0].seal in page
    assert "&lt;script&gt;" in page
    assert "none was signed yet" in page
    for number in ("0", "99999", "x", "9" * 40):
        missing = client.get(f"{AUDIT}/entries/{number}", headers={"Accept": "text/html"})
        assert missing.status_code == 404
        outline(missing.text)


def test_the_ledger_is_verified_and_signed(auditor: tuple[FlaskClient, str]) -> None:
    """Both by a form with its token; the note can be read by whoever keeps it, and is named from then on."""
    client, token = auditor
    verified = client.post(f"{AUDIT}/verify", data={"token": token}).text
    outline(verified)
    assert "one unbroken chain" in verified
    signed = client.post(f"{AUDIT}/checkpoint", data={"token": token}).text
    outline(signed)
    text = re.search(r"<pre[^>]*>(.*?)</pre>", signed, re.S)
    assert text is not None
    size = read_note(html.unescape(text[1])).size
    shown = client.get(AUDIT).text
    outline(shown)
    assert f"covers the first {size}" in shown
    assert client.post(f"{AUDIT}/verify", data={}).status_code == 403


def test_a_broken_chain_is_an_alert(house: House, auditor: tuple[FlaskClient, str]) -> None:
    """The first bad entry is named."""
    from tests.ledger.test_sqlite import changed

    client, token = auditor
    changed(house.rooms.ledger, "UPDATE entries SET written = replace(written, 'key_1', 'key_0') WHERE number = 8")
    page = client.post(f"{AUDIT}/verify", data={"token": token}).text
    outline(page)
    assert 'role="alert"' in page
    assert "first at entry 8" in page


@pytest.mark.parametrize("role", ["analyst", "reviewer", "owner", "administrator", "application"])
def test_nobody_else_searches(house: House, role: str) -> None:
    """Refused, and no link leads there."""
    house.register()
    client, _ = house.person(role)
    assert client.get(AUDIT).status_code == client.get(f"{AUDIT}/entries/1").status_code == 403
    assert 'href="/audit"' not in client.get("/models").text


def test_every_page_is_one_entry(house: House, auditor: tuple[FlaskClient, str]) -> None:
    """Looking is recorded as well."""
    client, token = auditor
    for path in (AUDIT, f"{AUDIT}?since=x", f"{AUDIT}?before=x", f"{AUDIT}/entries/1", f"{AUDIT}/entries/x"):
        before = house.rooms.ledger.head().number
        client.get(path)
        assert house.rooms.ledger.head().number - before == 1, path
    for path in ("verify", "checkpoint"):
        before = house.rooms.ledger.head().number
        client.post(f"{AUDIT}/{path}", data={"token": token})
        assert house.rooms.ledger.head().number - before == 1, path
