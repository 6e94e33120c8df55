"""Exports of the service: submitted, run beside the workers, seen by their owner alone, removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import (
    Conflict,
    InvalidOption,
    InvalidRows,
    MalformedRequest,
    ModelFailed,
    NotFound,
    NotPermitted,
    Overloaded,
    TooManyRequests,
)
from explainer.exports.holders import this_process
from explainer.exports.jobs import Job
from explainer.exports.verify import verify
from explainer.records import ExplainOptions, Principal
from explainer.usecases.explain import ExplainAsk
from explainer.usecases.exports import (
    Rows,
    export_file,
    files_of_export,
    find_exports,
    lines_of,
    pause_export,
    remove_export,
    resume_export,
    show_export,
    submit,
    submit_explain,
)
from explainer.usecases.exports_room import exports_of
from explainer.usecases.exports_run import MOST_FAILURES, Exporter
from explainer.usecases.exports_spec import ExportAsk
from explainer.usecases.rooms import Caller
from tests.house import House, build
from tests.registry.folders import ROW

BAD = {**ROW, "purpose": "boat"}


def ask(**changes: Any) -> ExportAsk:
    return ExportAsk("credit", **changes)


def rows(*instances: Any) -> Rows:
    return Rows(lines_of(list(instances) or [ROW, BAD, ROW]))


def other(house: House) -> Caller:
    return Caller(Principal("key_other", "key", "demo"), "request-2", "api")


def exporter(house: House) -> Exporter:
    return Exporter(house.rooms, house.serving, this_process(), lambda: False)


def events(house: House) -> list[tuple[str, str]]:
    return [(e.entry.event, e.entry.outcome) for e in house.entries()]


def fresh(house: House, job: Job) -> Job:
    return exports_of(house.rooms).store.get(job.id)


def test_from_submission_to_files(house: House) -> None:
    """An export is run by the workers of the service, its files prove themselves, and the ledger tells each step."""
    version = house.register()
    job = submit(house.rooms, house.caller(), ask(), rows())
    assert (job.state, job.spec.digest) == ("queued", version.digest)
    assert exporter(house).turn()
    done = show_export(house.rooms, house.caller(), job.id)
    assert (done.state, done.progress.explained, done.progress.rejected) == ("done", 2, 1)
    assert done.expires is not None
    folder = exports_of(house.rooms).folder(job.id).path
    assert verify(folder).ok
    assert not (folder / "input").exists()
    for name in files_of_export(done):
        path, digest = export_file(house.rooms, house.caller(), job.id, name)
        assert path.is_file()
        assert len(digest) == 64
    items = [json.loads(line) for line in (folder / "explanations.jsonl").read_text().splitlines()]
    direct = house.workers.explain(version.digest, _coded(house), ExplainOptions())
    assert [i["prediction"] for i in items] == [direct[0][0].prediction] * 2
    told = events(house)
    assert told[:4] == [("api:export:create", "answered"), ("exporter:export:start", "answered"),
                        ("exporter:export:run", "answered"), ("api:export:read", "answered")]  # fmt: skip
    assert not exporter(house).turn()


def _coded(house: House) -> Any:
    from explainer.registry.rows import code_rows

    return code_rows(house.rooms.registry.get("credit").manifest.features, [ROW])


def test_somebody_elses_export_is_not_there(house: House) -> None:
    """Every way to another principal's export gives the same NotFound as for none at all."""
    house.register()
    job = submit(house.rooms, house.caller(), ask(), rows())
    for way in (show_export, remove_export, pause_export, resume_export):
        for job_id in (job.id, "exp_" + "0" * 26):
            with pytest.raises(NotFound, match=f"There is no export '{job_id}'"):
                way(house.rooms, other(house), job_id)
    with pytest.raises(NotFound):
        export_file(house.rooms, other(house), job.id, "manifest.json")
    assert find_exports(house.rooms, other(house)) == []
    assert [j.id for j in find_exports(house.rooms, house.caller())] == [job.id]


def test_who_may_not(house: House) -> None:
    """An administrator, a key of another model, an unknown model: refused, with one entry, and nothing is kept."""
    house.register()
    for caller, error in (
        (house.caller("administrator"), NotPermitted),
        (house.caller(models=("other",)), NotPermitted),
    ):
        with pytest.raises(error):
            submit(house.rooms, caller, ask(), rows())
    with pytest.raises(NotFound):
        submit(house.rooms, house.caller(), ExportAsk("absent"), rows())
    assert len(house.entries()) == 3
    assert not (house.rooms.settings.var / "exports").exists() or not any(
        (house.rooms.settings.var / "exports").iterdir()
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"options": ExplainOptions(method="magic")}, "method"),
        ({"options": ExplainOptions(deadline_ms=5)}, "deadline_ms"),
        ({"where": "amount > 3"}, "no rule"),
        ({"carry": ("amount",)}, "is a feature"),
        ({"carry": ("a", "a")}, "twice"),
        ({"carry": ("prediction",)}, "of its own"),
        ({"delimiter": '"'}, "delimiter"),
    ],
)
def test_settings_that_cannot_be(house: House, changes: dict[str, Any], said: str) -> None:
    """Refused at the submission, in words that name the setting."""
    house.register()
    with pytest.raises(InvalidOption, match=said):
        submit(house.rooms, house.caller(), ask(**changes), rows())
    assert find_exports(house.rooms, house.caller()) == []


def test_a_wrong_header_is_refused_at_once(house: House) -> None:
    """A file that can give no row is refused before it is kept, and nothing of it stays."""
    house.register()
    with pytest.raises(InvalidRows, match="'a' is not a feature"):
        submit(house.rooms, house.caller(), ask(), Rows(b"a,b\n1,2\n", "csv"))
    assert list((house.rooms.settings.var / "exports").iterdir()) == []
    with pytest.raises(MalformedRequest):
        submit(house.rooms, house.caller(), ask(), Rows(lines_of([])))


def test_idempotency(house: House) -> None:
    """The same key and request give the same export, also after it is done; another request is a conflict."""
    house.register()
    first = submit(house.rooms, house.caller(), ask(), rows(), "k")
    exporter(house).turn()
    again = submit(house.rooms, house.caller(), ask(), rows(), "k")
    assert (again.id, again.state) == (first.id, "done")
    with pytest.raises(Conflict):
        submit(house.rooms, house.caller(), ask(output="csv"), rows(), "k")
    with pytest.raises(InvalidOption, match="Idempotency-Key"):
        submit(house.rooms, house.caller(), ask(), rows(), "")
    assert len(find_exports(house.rooms, house.caller())) == 1
    assert len(list((house.rooms.settings.var / "exports").iterdir())) == 1


def test_quotas(tmp_path: Path) -> None:
    """Too many open exports, or rows in a day, are refused with the time after which to try again."""
    house = build(tmp_path, export_open_jobs=2, export_daily_rows=4)
    house.register()
    for _ in range(2):
        submit(house.rooms, house.caller(), ask(), rows())
    with pytest.raises(TooManyRequests, match="2 exports of yours are open"):
        submit(house.rooms, house.caller(), ask(), rows())
    submit(house.rooms, other(house), ask(), rows())
    while exporter(house).turn():
        pass
    with pytest.raises(TooManyRequests, match="6 rows in 24 hours") as refused:
        submit(house.rooms, house.caller(), ask(), rows())
    assert refused.value.retry_after_s == 3600


def test_pause_resume_cancel(house: House) -> None:
    """A paused export is not run until it is gone on with; a cancelled one never, and its files are removed."""
    house.register()
    job = submit(house.rooms, house.caller(), ask(), rows())
    assert pause_export(house.rooms, house.caller(), job.id).state == "paused"
    assert not exporter(house).turn()
    assert resume_export(house.rooms, house.caller(), job.id).state == "queued"
    folder = exports_of(house.rooms).folder(job.id).path
    assert remove_export(house.rooms, house.caller(), job.id).state == "cancelled"
    assert folder.exists()
    assert not exporter(house).turn()
    assert not folder.exists()
    assert fresh(house, job).state == "cancelled"
    with pytest.raises(Conflict, match="is cancelled"):
        resume_export(house.rooms, house.caller(), job.id)


def test_files_are_removed(tmp_path: Path) -> None:
    """By their owner at once, or when their time is over; the export is remembered as expired."""
    house = build(tmp_path, export_days=0)
    house.register()
    one, two = (submit(house.rooms, house.caller(), ask(), rows()) for _ in range(2))
    runner = exporter(house)
    assert runner.turn()
    assert remove_export(house.rooms, house.caller(), one.id).state == "expired"
    assert not exports_of(house.rooms).folder(one.id).path.exists()
    assert runner.turn()
    runner.turn()
    assert fresh(house, two).state == "expired"
    assert list((house.rooms.settings.var / "exports").iterdir()) == []
    with pytest.raises(NotFound, match="it is expired"):
        export_file(house.rooms, house.caller(), two.id, "manifest.json")


def test_a_busy_service_is_waited_for(house: House) -> None:
    """When the workers cannot take it now, the export goes back into the queue, and fails for good after many times."""
    house.register()
    job = submit(house.rooms, house.caller(), ask(), rows())
    house.workers.failing = Overloaded("Every worker is busy")
    runner, store = exporter(house), exports_of(house.rooms).store
    assert runner.turn()
    waiting = fresh(house, job)
    assert (waiting.state, waiting.error) == ("queued", "Every worker is busy")
    assert not runner.turn()
    for _ in range(MOST_FAILURES - 1):
        store.change(job.id, "paused", ("queued",))
        store.change(job.id, "queued", ("paused",))  # due at once
        assert runner.turn()
    assert fresh(house, job).state == "failed"


def test_a_model_that_fails_fails_the_export(house: House) -> None:
    """What waiting does not mend ends the export with its reason."""
    house.register()
    job = submit(house.rooms, house.caller(), ask(), rows(*[ROW] * 30))
    house.workers.failing = ModelFailed("it divided by zero")
    assert exporter(house).turn()
    failed = fresh(house, job)
    assert failed.state == "failed"
    assert "it divided by zero" in str(failed.error)
    assert ("exporter:export:run", "model-failed") in events(house)


def test_files_by_name(tmp_path: Path) -> None:
    """A file in the folder that the settings name can be exported, and no other."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "q3.jsonl").write_bytes(lines_of([ROW]))
    (tmp_path / "secret.jsonl").write_bytes(lines_of([ROW]))
    house = build(tmp_path, export_inputs=inputs)
    house.register()
    submit(house.rooms, house.caller(), ask(), Rows(file="q3.jsonl"))
    for name in ("absent.jsonl", "../secret.jsonl", str(tmp_path / "secret.jsonl"), "."):
        with pytest.raises(InvalidOption, match="no file"):
            submit(house.rooms, house.caller(), ask(), Rows(file=name))
    closed = build(tmp_path / "closed")
    closed.register()
    with pytest.raises(InvalidOption, match="EXPLAINER_EXPORT_INPUTS"):
        submit(closed.rooms, closed.caller(), ask(), Rows(file="q3.jsonl"))


def test_a_long_explain_request(house: House) -> None:
    """An explain request becomes an export with the same settings and its own background."""
    house.register()
    asked = ExplainAsk("credit", [ROW] * 5, ExplainOptions(top=2), None, [ROW])
    job = submit_explain(house.rooms, house.caller(), asked)
    assert job.spec.options.top == 2
    assert not isinstance(job.spec.options.background, str)
    assert exporter(house).turn()
    assert fresh(house, job).progress.explained == 5
