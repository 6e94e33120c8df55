"""Policies and budgets at every door: explain, predict, compare, importance, interactions, exports, receipts, pages."""

from __future__ import annotations

from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import pytest

from explainer.access.budgets import NO_LIMITS, Budgets, Limits
from explainer.cache.key import canonical
from explainer.disclosure.levels import FULL, Policy
from explainer.durable import DurableFile
from explainer.errors import KeyMissing
from explainer.receipts.seals import Seals
from explainer.registry.rows import code_rows
from explainer.usecases.predict import predict
from tests.house import House, build
from tests.registry.folders import ROW
from tests.usecases.test_again import client, memo, post
from tests.usecases.test_subjects import sealed

MODEL = "/api/v1/models/credit"
TEXTS = Policy(values=True, most=2, detail="texts", prediction="none")


def rows(count: int) -> list[dict[str, Any]]:
    return [{**ROW, "amount": float(i)} for i in range(count)]


def test_an_application_sees_reasons_and_an_administrator_can_widen_that(house: House) -> None:
    """The next request after one change shows every digit, from the quick way too; the ledger says who chose what."""
    house.register()
    at, key = client(house), house.key("application")
    told = [post(at, key, {"instances": [ROW]}).json["explanations"][0] for _ in range(3)]
    assert all(t["attributions"] == [] and 0 < len(t["reasons"]) <= 3 for t in told)
    assert memo(at).size_bytes > 0
    boss = {"Authorization": f"Bearer {house.key('administrator')}"}
    done = at.put("/api/v1/policies", json={"role": "application", "model": "credit"}, headers=boss)
    assert done.json["policy"]["policy"] == {"detail": "full", "most": None, "prediction": "full", "values": True}
    told = [post(at, key, {"instances": [ROW]}).json["explanations"][0] for _ in range(3)]
    assert all(len(t["attributions"]) == 4 and t["withheld"] == [] for t in told)
    house.rooms.policies.set("application", "credit", TEXTS, "tests")
    told = post(at, key, {"instances": [ROW]}).json["explanations"][0]
    assert (told["prediction"], told["expected_value"]) == (None, None)
    assert all(set(r) == {"text"} for r in told["reasons"])
    changes = [e.entry for e in house.entries() if e.entry.event == "api:policy:set"]
    assert [(c.body["role"], c.body["model"], c.body["detail"]) for c in changes] == [("application", "credit", "full")]


@pytest.mark.parametrize("what", ["importance", "interactions"])
def test_what_is_made_of_sizes_is_refused_without_them(house: House, what: str) -> None:
    """403 that says what to do, and 200 once sizes are shown."""
    house.register()
    at, key = client(house), house.key("application")
    refused = post(at, key, {"instances": rows(3)}, f"{MODEL}/{what}")
    assert (refused.status_code, refused.json["code"]) == (403, "not-permitted")
    assert "explainer policies set" in refused.json["detail"]
    house.rooms.policies.set("application", "credit", FULL, "tests")
    assert post(at, key, {"instances": rows(3)}, f"{MODEL}/{what}").status_code == 200


def test_exports_are_for_those_who_see_everything_without_a_budget(house: House) -> None:
    """Neither a level nor a budget can be passed by asking for a file."""
    house.register()
    at, key = client(house), house.key("application")
    ask = {"model": "credit", "instances": [ROW]}
    assert post(at, key, ask, "/api/v1/exports").status_code == 403
    house.rooms.policies.set("application", "credit", FULL, "tests")
    assert "budget" in post(at, key, ask, "/api/v1/exports").json["detail"]
    house.rooms.budgets.set("application", "credit", NO_LIMITS, "tests")
    assert post(at, key, ask, "/api/v1/exports").status_code == 202


def test_compare_receipts_and_predictions_keep_to_the_level(house: House) -> None:
    """No number of the attributions is in any of them, and no score where none is shown."""
    house.register()
    house.rooms.policies.set("application", "credit", TEXTS, "tests")
    at, key = client(house), house.key("application")
    full = post(at, house.key("analyst"), {"instances": [ROW]}).json["explanations"][0]
    secret = {repr(a["attribution"]) for a in full["attributions"]} | {repr(full["prediction"])}
    receipt = post(at, key, {"instances": [ROW]}).json["explanations"][0]["receipt"]
    answers = [
        post(at, key, {"instances": [ROW]}, f"{MODEL}/compare"),
        post(at, key, {"instances": [ROW]}, f"{MODEL}/predict"),
        at.get(f"/api/v1/receipts/{receipt}", headers={"Authorization": f"Bearer {key}"}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert not [number for number in secret if number in answer.text], answer.text
    assert answers[0].json["agreement"] == []
    assert answers[1].json["predictions"][0]["decision"] in ("declined", "granted", "bad", "good", "decline", "grant")


def test_pages_draw_what_is_shown(house: House) -> None:
    """The explain page and the receipt page of an application's person hold reasons and no chart."""
    house.register()
    browser, token = house.person("application")
    form = {f"row-{name}": "" if value is None else str(value).lower() for name, value in ROW.items()}
    page = browser.post("/models/credit/explain", data={**form, "token": token})
    assert page.status_code == 200
    assert "What you do not see" in page.text
    assert "waterfall" not in page.text
    receipt = page.text.split("/receipts/")[1].split('"')[0]
    shown = browser.get(f"/receipts/{receipt}")
    assert shown.status_code == 200
    assert "withheld" in shown.text
    assert "waterfall" not in shown.text


def test_a_budget_is_charged_by_both_ways_and_told(house: House) -> None:
    """Each row costs, from the quick way too; then 429 with what is left and when to come again, and one entry."""
    house.register()
    house.rooms.budgets.set("application", "*", Limits(rows_day=5), "tests")
    at, key = client(house), house.key("application")
    told = [post(at, key, {"instances": [ROW]}) for _ in range(6)]
    assert [t.status_code for t in told] == [200] * 5 + [429]
    assert [t.headers["RateLimit-Remaining"] for t in told] == ["4", "3", "2", "1", "0", "0"]
    assert told[5].json["code"] == "budget-exhausted"
    assert int(told[5].headers["Retry-After"]) > 0
    assert [e.entry.outcome for e in house.entries()][-1] == "budget-exhausted"
    assert post(at, key, {"instances": [ROW]}, f"{MODEL}/predict").status_code == 429
    assert post(at, house.key("application"), {"instances": [ROW]}).status_code == 200


def test_rows_brought_as_a_background_are_charged(house: House) -> None:
    """Their mean output is told, so they are questions too."""
    house.register()
    house.rooms.budgets.set("application", "*", Limits(rows_day=3), "tests")
    at, key = client(house), house.key("application")
    ask = {"instances": [ROW], "background": {"rows": rows(3)}}
    assert post(at, key, ask).status_code == 429
    assert post(at, key, {**ask, "background": {"rows": rows(2)}}).status_code == 200


def test_refused_rows_cost_nothing(house: House) -> None:
    """What is wrong is told before anything is charged."""
    house.register()
    house.rooms.budgets.set("application", "*", Limits(rows_day=1), "tests")
    at, key = client(house), house.key("application")
    assert post(at, key, {"instances": [{"amount": "x"}]}).status_code == 422
    assert post(at, key, {"instances": [ROW]}).status_code == 200


def test_budgets_are_set_over_http_with_one_entry_each(house: House) -> None:
    """An owner sets those of granted models only."""
    house.register()
    at = client(house)
    owner = {"Authorization": f"Bearer {house.key('owner', models=('credit',))}"}
    wish = {"whom": "application", "model": "credit", "rows_day": 7}
    assert at.put("/api/v1/budgets", json=wish, headers=owner).json["budget"]["limits"]["rows_day"] == 7
    assert at.put("/api/v1/budgets", json={**wish, "model": "*"}, headers=owner).status_code == 403
    assert (
        at.post("/api/v1/budgets/reset", json={"whom": "application", "model": "credit"}, headers=owner).status_code
        == 200
    )
    listed = at.get("/api/v1/budgets", headers=owner).json["budgets"]
    assert [b["model"] for b in listed] == ["*"]
    events = [(e.entry.event, e.entry.outcome) for e in house.entries()]
    assert events == [
        ("api:budget:set", "answered"),
        ("api:budget:set", "not-permitted"),
        ("api:budget:reset", "answered"),
        ("api:budget:list", "answered"),
    ]


def named(house: House) -> set[bytes]:
    with house.rooms.receipts.file.reading() as connection:
        return {row[0] for row in connection.execute("SELECT row FROM budgets_rows")}


def test_who_has_the_file_cannot_try_out_which_rows_were_asked(tmp_path: Path) -> None:
    """The names of rows are keyed by a secret that opens with the master key alone, and differ from house to house."""
    found = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        house = sealed(folder)
        controls = DurableFile(folder / "controls.db", "")
        house = house.with_rooms(budgets=Budgets(controls, house.rooms.receipts.file))
        version = house.register()
        predict(house.rooms, house.serving, house.caller("application"), "credit", None, [ROW, ROW])
        found.append(named(house))
        assert len(found[-1]) == 1
        row = canonical(code_rows(version.manifest.features, [ROW]))[0].tobytes()
        tried = {blake2b(row, digest_size=16).digest(), sha256(row).digest()[:16]}
        assert not found[-1] & tried
        assert set(house.rooms.receipts.seals.row_names([row])) == found[-1]
        with pytest.raises(KeyMissing):
            Seals(house.rooms.receipts.file, None).row_names([row])
    assert not found[0] & found[1]


def test_unkeyed_names_of_earlier_versions_are_dropped(tmp_path: Path) -> None:
    """Opening the file is enough; what was spent stays."""
    house = build(tmp_path)
    file = house.rooms.receipts.file
    file.write(lambda c: c.execute("CREATE TABLE budgets_met (principal TEXT, digest TEXT, row BLOB)"))
    Budgets(DurableFile(tmp_path / "controls.db", ""), file)
    with file.reading() as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "budgets_met" not in tables
    assert {"budgets_rows", "budgets_spent"} <= tables
