"""Exports as a whole: the same bytes whatever happened on the way, and nothing computed twice without need."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import Conflict, InvalidRows, ModelFailed, StorageFailed, WorkerDied
from explainer.exports.chunks import Chunk, Done
from explainer.exports.holders import this_process
from explainer.exports.runners import Task
from explainer.exports.running import Stopped
from explainer.exports.store import LeaseLost
from explainer.exports.verify import verify
from tests.exports.jobs import Bench, bench


class Killed(BaseException):
    """The process ends here."""


class Shuffled:
    """Gives chunks back in another order, as parallel workers do; loses a worker at the chunks named."""

    def __init__(self, lost: tuple[int, ...] = ()) -> None:
        self.lost = list(lost)

    def run(self, task: Task, chunks: Iterator[Chunk]) -> Iterator[Done]:
        waiting: list[Chunk] = []
        for chunk in chunks:
            waiting.append(chunk)
            if len(waiting) == 3:
                yield from self._back(task, waiting)
        yield from self._back(task, waiting)

    def _back(self, task: Task, waiting: list[Chunk]) -> Iterator[Done]:
        while waiting:
            chunk = waiting.pop()
            if chunk.number in self.lost:
                self.lost.remove(chunk.number)
                raise WorkerDied("killed by the test")
            yield task(chunk)

    def close(self) -> None:
        return


@pytest.fixture
def undisturbed(tmp_path: Path, rows_file: Path) -> Bench:
    found = bench(tmp_path / "undisturbed", rows_file)
    found.compute()
    return found


def test_counts_and_files(undisturbed: Bench, rows_file: Path) -> None:
    """Every row is explained in input order or rejected; the manifest counts them, and the folder proves itself."""
    job = undisturbed.job
    assert (job.state, job.progress.explained, job.progress.rejected, job.progress.chunks) == ("done", 2997, 3, 12)
    files = undisturbed.bytes()
    lines = [json.loads(line)["line"] for line in files["explanations.jsonl"].splitlines()]
    assert lines == [n for n in range(2, 3002) if n not in (1001, 2001, 3001)]
    rejects = list(csv.DictReader(files["rejects.csv"].decode().splitlines()))
    assert [(r["line"], r["field"], r["rule"]) for r in rejects] == [(f"{n}001", "months", "type") for n in (1, 2, 3)]
    assert verify(undisturbed.folder.path).ok
    manifest = json.loads((undisturbed.folder.path / "manifest.json").read_text())
    assert manifest["counts"] == {"rows": 3000, "explained": 2997, "rejected": 3, "skipped": 0, "chunks": 12}
    assert [i["name"] for i in manifest["input"]] == [rows_file.name]
    assert manifest["input"][0]["bytes"] == rows_file.stat().st_size
    assert not (undisturbed.folder.path / ".parts").exists()


@pytest.mark.parametrize("rows", [1000, 77, 3000, 5000])
@pytest.mark.parametrize("output", ["jsonl", "csv", "parquet"])
def test_the_explanations_do_not_depend_on_the_chunks(tmp_path: Path, rows_file: Path, output: str, rows: int) -> None:
    """However many rows are computed together, the explanations and rejects are the same bytes."""
    one = bench(tmp_path / "one", rows_file, output=output)
    one.compute()
    other = bench(tmp_path / "other", rows_file, output=output, chunk_rows=rows)
    other.compute(Shuffled())
    for name in (f"explanations.{output}", "rejects.csv"):
        assert one.bytes()[name] == other.bytes()[name], name


@pytest.mark.parametrize("at", [0, 1, 5, 11])
def test_killed_and_gone_on_with(tmp_path: Path, rows_file: Path, undisturbed: Bench, at: int) -> None:
    """After an end at any chunk only what was not finished is computed, and the bytes are the same."""
    killed = bench(tmp_path / "killed", rows_file)

    def dies(chunk: Chunk) -> Done:
        if chunk.number == at:
            raise Killed
        return killed.step(chunk)

    with pytest.raises(Killed):
        killed.compute(task=dies)
    assert killed.seen == list(range(at))
    killed.store.give_back(killed.job.id, str(killed.job.holder))
    killed.compute()
    assert killed.seen == list(range(12))
    assert killed.bytes() == undisturbed.bytes()


def test_lost_workers_cost_their_chunks_only(tmp_path: Path, rows_file: Path, undisturbed: Bench) -> None:
    """A worker lost now and then is made up for; the bytes are the same."""
    other = bench(tmp_path / "other", rows_file)
    other.compute(Shuffled(lost=(4, 7, 7, 11)))
    assert other.bytes() == undisturbed.bytes()
    assert sorted(set(other.seen)) == list(range(12))


def test_workers_that_always_end_are_given_up(tmp_path: Path, rows_file: Path) -> None:
    """When workers end again and again without a finished chunk, the export stops and says so."""
    other = bench(tmp_path / "other", rows_file)
    with pytest.raises(WorkerDied, match="3 times without a finished chunk: killed by the test"):
        other.compute(Shuffled(lost=(2,) * 9))


def test_a_damaged_part_is_computed_again(tmp_path: Path, rows_file: Path, undisturbed: Bench) -> None:
    """A part that is missing or cut off on disk counts as not computed."""
    other = bench(tmp_path / "other", rows_file)
    with pytest.raises(Stopped):
        other.compute(stopping=lambda: len(other.seen) >= 6)
    other.folder.part(2).write_bytes(other.folder.part(2).read_bytes()[:-1])
    other.folder.part(4).unlink()
    other.store.give_back(other.job.id, str(other.job.holder))
    other.seen.clear()
    other.compute()
    assert other.seen == [2, 4, 6, 7, 8, 9, 10, 11]
    assert other.bytes() == undisturbed.bytes()


def test_input_that_changed_is_refused(tmp_path: Path, rows_file: Path) -> None:
    """An export is not gone on with over other rows than it began with."""
    mine = tmp_path / "rows.csv"
    mine.write_text(rows_file.read_text())
    other = bench(tmp_path / "other", mine)
    with pytest.raises(Stopped):
        other.compute(stopping=lambda: len(other.seen) >= 6)
    other.store.give_back(other.job.id, str(other.job.holder))
    mine.write_text(rows_file.read_text().replace("\n3,", "\n4,", 1))
    with pytest.raises(Conflict, match="changed since this export began"):
        other.compute()


def test_a_lost_lease_stops_it(tmp_path: Path, rows_file: Path) -> None:
    """Paused or cancelled meanwhile: the next chunk is not kept, and the runner stops."""
    other = bench(tmp_path / "other", rows_file)

    def paused(chunk: Chunk) -> Done:
        if chunk.number == 3:
            other.store.change(other.job.id, "paused", ("running",))
        return other.step(chunk)

    with pytest.raises(LeaseLost):
        other.compute(task=paused)
    assert (other.job.state, other.job.progress.chunks) == ("paused", 3)
    assert other.store.claim(this_process()) is None


def test_a_full_disk_is_said_and_gone_on_after(tmp_path: Path, rows_file: Path, undisturbed: Bench) -> None:
    """When a part cannot be written nothing is noted of it; once there is room it goes on."""
    other = bench(tmp_path / "other", rows_file)

    def blocked(chunk: Chunk) -> Done:
        if chunk.number == 5:
            other.folder.part(5).with_suffix(".rows.part").mkdir()  # a disk that does not take this file
        return other.step(chunk)

    with pytest.raises(StorageFailed, match="goes on where it stopped"):
        other.compute(task=blocked)
    assert sorted(other.store.chunks(other.job.id)) == [0, 1, 2, 3, 4]
    other.folder.part(5).with_suffix(".rows.part").rmdir()
    other.store.give_back(other.job.id, str(other.job.holder))
    other.compute()
    assert other.bytes() == undisturbed.bytes()


def test_stop_on_reject(tmp_path: Path, rows_file: Path) -> None:
    """Asked to, the export stops at the first row that does not fit, and names it."""
    other = bench(tmp_path / "other", rows_file, stop_on_reject=True)
    with pytest.raises(InvalidRows, match=r"line 1001\.months: 'many' is not a number"):
        other.compute()


def test_a_model_that_fails_for_every_row_stops_it(tmp_path: Path) -> None:
    """One bad row is rejected; a chunk that fails as a whole is the model's fault and ends the export."""
    source = tmp_path / "rows.csv"
    source.write_text("id,amount,months,purpose\n" + "1,666,12,car\n" * 50)
    with pytest.raises(ModelFailed, match="does not like 666"):
        bench(tmp_path / "other", source).compute()


@pytest.mark.parametrize("output", ["jsonl", "csv", "parquet"])
def test_no_rows_at_all(tmp_path: Path, output: str) -> None:
    """A file with a header alone gives whole files without rows, with the same columns as ever."""
    source = tmp_path / "rows.csv"
    source.write_text("id,amount,months,purpose\n")
    empty = bench(tmp_path / "empty", source, output=output)
    empty.compute()
    assert empty.job.progress.rows == 0
    assert verify(empty.folder.path).ok
    source.write_text("id,amount,months,purpose\n1,10,12,car\n")
    full = bench(tmp_path / "full", source, output=output)
    full.compute()
    assert columns(full) == columns(empty)


def columns(of: Bench) -> Any:
    data = of.bytes()[f"explanations.{of.spec.output}"]
    if of.spec.output == "csv":
        return data.decode().splitlines()[0]
    if of.spec.output == "parquet":
        from pyarrow import BufferReader, parquet

        return parquet.read_schema(BufferReader(data)).names
    return None
