"""An export with its files and their digests, and how many rows it will have."""

from __future__ import annotations

import hashlib

import pytest

from explainer.errors import NotFound, StorageFailed
from explainer.exports.holders import this_process
from explainer.usecases.exports import Rows, lines_of, submit
from explainer.usecases.exports_files import show_files
from explainer.usecases.exports_room import exports_of
from explainer.usecases.exports_run import Exporter
from explainer.usecases.exports_spec import ExportAsk
from tests.house import House
from tests.registry.folders import ROW
from tests.usecases.test_exports import other


def test_digests_are_those_of_the_files(house: House) -> None:
    """Before it is done there are rows to come and no files; then every file has its size and its SHA-256."""
    house.register()
    job = submit(house.rooms, house.caller(), ExportAsk("credit"), Rows(lines_of([ROW, ROW, ROW])))
    waiting = show_files(house.rooms, house.caller(), job.id)
    assert (waiting.files, waiting.rows) == ([], 3)
    Exporter(house.rooms, house.serving, this_process(), lambda: False).turn()
    done = show_files(house.rooms, house.caller(), job.id)
    assert (done.job.state, done.rows) == ("done", None)
    folder = exports_of(house.rooms).folder(job.id).path
    assert [f.name for f in done.files][:2] == ["explanations.jsonl", "rejects.csv"]
    for file in done.files:
        data = (folder / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    (folder / "summary.json").unlink()
    with pytest.raises(StorageFailed):
        show_files(house.rooms, house.caller(), job.id)


def test_lines_of_a_table_are_rows_but_for_its_header(house: House) -> None:
    """A CSV's first line names columns."""
    house.register()
    table = b"amount,months,purpose,phone\n1,2,car,true\n3,4,car,true\n"
    job = submit(house.rooms, house.caller(), ExportAsk("credit"), Rows(table, "csv"))
    assert show_files(house.rooms, house.caller(), job.id).rows == 2
    with pytest.raises(NotFound):
        show_files(house.rooms, other(house), job.id)
