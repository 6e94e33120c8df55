"""The page of a version that waits for approval."""

from __future__ import annotations

from explainer.records import Notice
from tests.house import House
from tests.registry.folders import REPORT, write_folder
from tests.webui.site import outline

PAGE, FORM = "/models/credit?version=1.0", "/models/credit/approve"
REASON = "Both of us looked at it."


def waiting(house: House, by: str = "key_somebody") -> None:
    candidate = house.rooms.registry.check(write_folder(house.folder / "model"))
    house.rooms.registry.admit(candidate, REPORT, (Notice("scaffold", "Another <model>."),), by)


def test_an_owner_approves_with_a_reason(house: House) -> None:
    """The page shows the finding and asks for a reason; sent back, the version is served and tells who approved it."""
    waiting(house)
    client, token = house.person("owner")
    page = client.get(PAGE)
    assert 'name="accept.scaffold"' in page.text
    assert "Another &lt;model&gt;." in page.text
    assert "textarea" in outline(page.text).tags
    assert "Explain a row" not in page.text
    assert "credit" not in client.get("/models").text
    sent = client.post(FORM, data={"token": token, "version": "1.0", "accept.scaffold": REASON})
    assert sent.status_code == 303
    after = client.get(PAGE).text
    assert "Waits for approval" not in after
    assert REASON in after
    assert "Explain a row" in after


def test_others_see_the_finding_and_no_form(house: House) -> None:
    """Roles that may not approve, and who registered the version, read why it waits; sending the form is refused."""
    waiting(house)
    client, token = house.person("analyst")
    page = client.get(PAGE)
    outline(page.text)
    assert "Waits for approval" in page.text
    assert "textarea" not in page.text
    data = {"token": token, "version": "1.0", "accept.scaffold": REASON}
    assert client.post(FORM, data=data).status_code == 403
    assert house.rooms.registry.names() == ()


def test_a_form_without_its_token_approves_nothing(house: House) -> None:
    """Another site cannot have an owner's browser approve a model."""
    waiting(house)
    client, _ = house.person("owner")
    assert client.post(FORM, data={"version": "1.0", "accept.scaffold": REASON}).status_code == 403
    assert house.rooms.registry.names() == ()
