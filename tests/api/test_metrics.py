"""Proves that /metrics is answered to those who may read it, whatever else is broken, and to nobody else."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient

from explainer.access.roles import LOCAL, ROLES
from explainer.api import metrics
from explainer.api.guard import EXTENSION
from explainer.api.guard import House as Reached
from explainer.errors import ExplainerError, StorageFailed
from explainer.exports.holders import this_process
from explainer.ledger.sqlite import Ledger
from explainer.monitoring.cells import Cells
from explainer.monitoring.page import FOLDER
from explainer.monitoring.recording import LIVE, FileMeters
from explainer.usecases.exports import Rows, lines_of, submit
from explainer.usecases.exports_run import Exporter
from explainer.usecases.exports_spec import ExportAsk
from tests.house import House
from tests.monitoring.conftest import samples
from tests.registry.folders import ROW


class BrokenLedger(Ledger):
    """A ledger whose disk is gone."""

    def head(self) -> Any:
        raise StorageFailed("the disk is gone")

    def append(self, entry: Any) -> int:
        raise StorageFailed("the disk is gone")


def client(house: House) -> FlaskClient:
    """The route alone, around the rooms of this house."""
    app = Flask("metrics")
    app.extensions[EXTENSION] = Reached(house.rooms, house.serving)
    app.before_request(lambda: setattr(g, "request_id", "r-1"))
    app.register_blueprint(metrics.blueprint)
    app.register_error_handler(ExplainerError, lambda e: Response(json.dumps(e.code), status=e.status))
    return app.test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_monitor_reads_the_numbers_of_all_processes(house: House) -> None:
    """Prometheus text, with what is looked up and what was counted; nobody keeps a copy."""
    house.register()
    FileMeters(Cells(house.rooms.settings.var / FOLDER, "web", LIVE)).receipts_kept(3)
    answer = client(house).get("/metrics", headers=bearer(house.key("monitor")))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "private, no-store"
    found = samples(answer.data)
    assert found["explainer_receipts_total", ()] == 3
    assert found["explainer_models_registered", ()] == 1
    assert found["explainer_ledger_head", ()] == len(house.entries())
    assert 0 < found["explainer_disk_free_bytes", ()] <= found["explainer_disk_size_bytes", ()]


def test_nobody_reads_them_without_a_key(house: House) -> None:
    """401 without credentials, with a wrong key, and with the cookie of a session."""
    asking = client(house)
    assert asking.get("/metrics").status_code == 401
    assert asking.get("/metrics", headers=bearer("xk_aaaaaaaa_" + "A" * 43)).status_code == 401
    assert asking.get("/metrics", headers={"Cookie": f"explainer_session={house.session('demo')}"}).status_code == 401


@pytest.mark.parametrize("role", sorted(set(ROLES) - {LOCAL, "monitor", "demo"}))
def test_no_other_role_reads_them(house: House, role: str) -> None:
    """They tell how much is asked and of which models: no business of applications."""
    assert client(house).get("/metrics", headers=bearer(house.key(role))).status_code == 403


def test_readiness_is_told(house: House) -> None:
    """0 while /readyz says 503, 1 afterwards."""
    asking, key = client(house), bearer(house.key("monitor"))
    assert samples(asking.get("/metrics", headers=key).data)["explainer_ready", ()] == 0
    house.serving._first_round.set()
    assert samples(asking.get("/metrics", headers=key).data)["explainer_ready", ()] == 1


def test_they_are_there_when_the_ledger_is_not(house: House) -> None:
    """When no entry can be written is when an alert is needed: no entry is asked for, its head is left out."""
    broken = house.with_rooms(ledger=BrokenLedger(house.rooms.settings.var / "ledger.db"))
    answer = client(broken).get("/metrics", headers=bearer(house.key("monitor")))
    assert answer.status_code == 200
    assert ("explainer_ledger_head", ()) not in samples(answer.data)
    assert house.entries() == []


def test_a_monitor_may_nothing_else(house: House) -> None:
    """The key that lies with Prometheus opens neither models nor answers nor records."""
    house.register()
    key = bearer(house.key("monitor"))
    asking = house.client()
    for path in ("/api/v1/models", "/api/v1/openapi.json", "/api/v1/ledger/verify"):
        assert asking.get(path, headers=key).status_code == 403, path
    assert asking.post("/api/v1/models/credit/explain", json={}, headers=key).status_code == 403


def test_exports_are_told_by_state(house: House) -> None:
    """How many exports wait, run and are done, and 0 where there is none."""
    house.register()
    submit(house.rooms, house.caller(), ExportAsk("credit"), Rows(lines_of([ROW])))
    found = samples(client(house).get("/metrics", headers=bearer(house.key("monitor"))).data)
    assert found["explainer_exports", (("state", "queued"),)] == 1
    assert found["explainer_exports", (("state", "done"),)] == 0


def test_rows_that_an_export_went_through_are_counted(house: House) -> None:
    """The exporter counts explained and rejected rows of the model as it goes."""
    house.register()
    meters = FileMeters(Cells(house.rooms.settings.var / FOLDER, "exports", LIVE))
    rooms = dataclasses.replace(house.rooms, meters=meters)
    submit(rooms, house.caller(), ExportAsk("credit"), Rows(lines_of([ROW, {**ROW, "purpose": "boat"}, ROW])))
    assert Exporter(rooms, house.serving, this_process(), lambda: False).turn()
    found = samples(client(house).get("/metrics", headers=bearer(house.key("monitor"))).data)
    told = {dict(labels)["outcome"]: count for (name, labels), count in found.items() if "export_rows" in name}
    assert told == {"explained": 2, "rejected": 1}
