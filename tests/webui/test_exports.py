"""Pages of exports: started from a table, watched, taken, removed; nobody else's."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient

from explainer.errors import ModelFailed
from explainer.exports.holders import this_process
from explainer.usecases.exports_run import Exporter
from tests.house import House, build
from tests.webui.site import SCRIPT, outline

NEW, LIST = "/exports/new", "/exports"
TABLE = "amount,months,purpose,phone,ref\n" + "".join(f"{i},{i + 1},car,true,r{i}\n" for i in range(5))


@pytest.fixture
def desk(house: House) -> tuple[FlaskClient, str]:
    house.register()
    return house.person("analyst")


def run(house: House) -> bool:
    return Exporter(house.rooms, house.serving, this_process(), lambda: False).turn()


def send(client: FlaskClient, token: str, table: str = TABLE, **fields: str) -> str:
    """Start an export by the form and return its page's address."""
    form = {"token": token, "model": "credit", "carry": "ref", "output": "csv", **fields}
    answer = client.post(NEW, data={**form, "table": (io.BytesIO(table.encode()), "rows.csv")})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_table_is_explained_and_taken(house: House, desk: tuple[FlaskClient, str]) -> None:
    """Form, waiting page, result with digests, the file itself; each page is whole and leads on."""
    client, token = desk
    for path in (LIST, NEW):
        outline(client.get(path).text)
    page = send(client, token, table=TABLE + "x,1,car,true,r9\n")
    waiting = client.get(page).text
    outline(waiting)
    assert "Waits for its turn" in waiting
    assert "exports.js" in waiting
    assert run(house)
    done = client.get(page).text
    outline(done)
    assert "exports.js" not in done
    assert '<dt>Rows explained</dt><dd data-what="explained">5</dd>' in done
    assert '<dt>Rows not fitting</dt><dd data-what="rejected">1</dd>' in done
    link = re.search(rf'href="({page}/files/explanations\.csv)".*?<code>([0-9a-f]{{64}})', done, re.S)
    assert link is not None
    file = client.get(link[1])
    assert file.data.count(b"\n") == 6
    assert file.headers["ETag"].strip('"') == link[2]
    assert "attachment" in file.headers["Content-Disposition"]
    listed = client.get(LIST).text
    outline(listed)
    assert f'href="{page}"' in listed


def test_how_far_it_is_is_told_in_rows(house: House, desk: tuple[FlaskClient, str]) -> None:
    """What the page's script reads: nothing yet, then everything."""
    client, token = desk
    page = send(client, token)
    told = client.get(f"{page}/progress").json
    assert told == {
        **{"state": "queued", "open": True, "share": 0.0, "rows": 0, "explained": 0},
        **{"rejected": 0, "skipped": 0, "rate": None, "left": None},
    }
    run(house)
    told = client.get(f"{page}/progress").json
    assert told is not None
    assert (told["state"], told["open"], told["share"], told["explained"]) == ("done", False, 1.0, 5)


def test_it_can_be_paused_gone_on_with_and_removed(house: House, desk: tuple[FlaskClient, str]) -> None:
    """By forms; what is not possible now is a page that says so."""
    client, token = desk
    page = send(client, token)
    for step, said in (("pause", "Paused"), ("resume", "Waits for its turn"), ("remove", "Cancelled")):
        answer = client.post(f"{page}/{step}", data={"token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, page)
        text = client.get(page).text
        outline(text)
        assert f'id="progress">{said}' in text
    again = client.post(f"{page}/pause", data={"token": token}, headers={"Accept": "text/html"})
    assert again.status_code == 409
    outline(again.text)
    assert client.post(f"{page}/burn", data={"token": token}).status_code == 422
    assert client.post(f"{page}/remove", data={}).status_code == 403


def test_a_failed_one_says_why(house: House, desk: tuple[FlaskClient, str]) -> None:
    """The reason, and that nothing can be taken."""
    client, token = desk
    page = send(client, token)
    house.workers.failing = ModelFailed("it divided by zero")
    assert run(house)
    text = client.get(page).text
    outline(text)
    assert "This export failed" in text
    assert "it divided by zero" in text
    assert "There are none." in text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"table": ""}, 422, "choose a CSV file"),
        ({"carry": ""}, 422, "&#39;ref&#39; is not a feature"),
        ({"model": "nobody"}, 404, "nobody"),
        ({"method": "magic"}, 422, "method: choose one of"),
        ({"output": "xls"}, 422, "output: choose one of"),
        ({"where": "always"}, 422, "where: choose one of"),
        ({"delimiter": ";;"}, 422, "delimiter"),
        ({"carry": SCRIPT}, 422, "&lt;script&gt;"),
    ],
)
def test_what_cannot_be_started_is_said_in_the_form(
    house: House, desk: tuple[FlaskClient, str], fields: dict[str, str], status: int, said: str
) -> None:
    """Above the form, which keeps what was typed; nothing is started."""
    client, token = desk
    table = fields.pop("table", TABLE)
    form = {"token": token, "model": "credit", "carry": "ref", **fields}
    before = house.rooms.ledger.head().number
    page = client.post(NEW, data={**form, "table": (io.BytesIO(table.encode()), "rows.csv")})
    assert house.rooms.ledger.head().number - before == 1
    assert page.status_code == status
    outline(page.text)
    assert said in page.text
    assert "Nothing was started" in page.text
    assert "You have no exports" in client.get(LIST).text


def test_a_file_above_the_bound_is_refused(house: House) -> None:
    """The bound is that of every body."""
    small = build(house.folder / "small", max_body_bytes=2_000)
    small.register()
    client, token = small.person("analyst")
    data = {"token": token, "model": "credit", "table": (io.BytesIO(b"x" * 3000), "rows.csv")}
    page = client.post(NEW, data=data, headers={"Accept": "text/html"})
    assert page.status_code == 413
    outline(page.text)


def test_nobody_sees_what_is_somebody_elses(house: House, desk: tuple[FlaskClient, str]) -> None:
    """As if it were not there."""
    client, token = desk
    page = send(client, token)
    other, form = house.person("analyst")
    for answer in (
        other.get(page),
        other.get(f"{page}/progress"),
        other.get(f"{page}/files/summary.json"),
        other.post(f"{page}/remove", data={"token": form}),
    ):
        assert answer.status_code == 404
    assert "You have no exports" in other.get(LIST).text


def test_a_role_without_exports_has_no_way_there(house: House) -> None:
    """Refused, and no link leads there."""
    house.register()
    client, _ = house.person("auditor")
    assert client.get(LIST).status_code == client.get(NEW).status_code == 403
    assert 'href="/exports"' not in client.get("/models").text


def test_no_model_is_said(house: House) -> None:
    """Instead of a form that cannot be sent."""
    client, _ = house.person("analyst")
    page = client.get(NEW).text
    outline(page)
    assert "No model is in service" in page
