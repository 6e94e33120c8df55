"""Every engine, started for real with two workers: the same bytes as in one process."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from explainer.errors import InvalidOption, WorkerDied
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners import Runner, names, start
from explainer.exports.runners.serial import Serial


def chunks(count: int) -> Iterator[Chunk]:
    return (Chunk(i, "rows.jsonl", "jsonl", i, 1, str(i).encode()) for i in range(count))


def digested(folder: Path, chunk: Chunk) -> Done:
    """A chunk's digest; the worker leaves its process number in `folder`."""
    (folder / str(os.getpid())).touch()
    time.sleep(0.05)
    return Done(chunk.number, 1, 0, 0, hashlib.sha256(chunk.data).digest())


def killed_once(folder: Path, chunk: Chunk) -> Done:
    """The first worker that gets chunk 5 is killed with it."""
    if chunk.number == 5 and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return digested(folder, chunk)


def failing(chunk: Chunk) -> Done:
    raise InvalidOption(f"chunk {chunk.number} cannot be")


LIBRARIES = {"joblib:2": "joblib", "dask:2": "distributed", "ray:2": "ray"}


@pytest.fixture(params=["serial", *LIBRARIES])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param in LIBRARIES:
        pytest.importorskip(LIBRARIES[request.param])
    started = start(request.param)
    yield started
    started.close()


@pytest.fixture(params=LIBRARIES)
def parallel(request: pytest.FixtureRequest) -> Iterator[Runner]:
    pytest.importorskip(LIBRARIES[request.param])
    started = start(request.param)
    yield started
    started.close()


def test_every_chunk_comes_back_once(runner: Runner, tmp_path: Path) -> None:
    """All chunks are computed, by as many processes as were asked for; a second run works as well."""
    for count in (20, 3):
        done = sorted(runner.run(partial(digested, tmp_path), chunks(count)), key=lambda d: d.number)
        assert [d.number for d in done] == list(range(count))
        assert all(d.data == hashlib.sha256(str(d.number).encode()).digest() for d in done)
    workers = {int(p.name) for p in tmp_path.iterdir()}
    assert len(workers) == (1 if isinstance(runner, Serial) else 2)
    assert (os.getpid() in workers) == (isinstance(runner, Serial))


def test_an_error_keeps_its_kind(runner: Runner) -> None:
    """What a worker raises on purpose arrives as itself."""
    with pytest.raises(InvalidOption, match="cannot be"):
        list(runner.run(failing, chunks(3)))


def test_a_killed_worker(parallel: Runner, tmp_path: Path) -> None:
    """Killed with -9 in the middle of a chunk: the engine makes up for it, or says WorkerDied and runs the rest."""
    found: dict[int, bytes] = {}
    for _ in range(3):
        try:
            left = (c for c in chunks(12) if c.number not in found)
            for done in parallel.run(partial(killed_once, tmp_path), left):
                found[done.number] = done.data
            break
        except WorkerDied:
            continue
    assert (tmp_path / "killed").exists()
    assert sorted(found) == list(range(12))


def test_input_is_drawn_only_as_it_is_needed(runner: Runner, tmp_path: Path) -> None:
    """Few chunks are under way at a time, however long the input is."""
    drawn = 0

    def endless() -> Iterator[Chunk]:
        nonlocal drawn
        for chunk in chunks(10_000):
            drawn += 1
            yield chunk

    results = runner.run(partial(digested, tmp_path), endless())
    next(iter(results))
    assert drawn < 60
    getattr(results, "close", lambda: None)()


def test_wrong_names() -> None:
    """A runner that there is not, or an address where nothing answers, is refused in words."""
    assert names() == ["dask", "joblib", "ray", "serial"]
    for wanted, said in (("spark", "choose one of dask, joblib, ray, serial"), ("joblib:many", "not a number"),
                         ("joblib:0", "not a number"), ("serial:2", "there is one")):  # fmt: skip
        with pytest.raises(InvalidOption, match=said):
            start(wanted)


def test_a_scheduler_elsewhere(tmp_path: Path) -> None:
    """A Dask scheduler with workers of its own is found by its address, and its workers are used."""
    pytest.importorskip("distributed")
    code = (
        "from distributed import LocalCluster; import sys, time\n"
        "if __name__ == '__main__':\n"
        "    c = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host='127.0.0.1')\n"
        "    print(c.scheduler_address, flush=True); sys.stdin.read(); c.close()\n"
    )
    script = tmp_path / "cluster.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip().removeprefix("tcp:")
        runner = start(f"dask:{address}")
        (tmp_path / "seen").mkdir()
        done = list(runner.run(partial(digested, tmp_path / "seen"), chunks(8)))
        runner.close()
        cluster.communicate(timeout=30)
    assert sorted(d.number for d in done) == list(range(8))
    assert os.getpid() not in {int(p.name) for p in (tmp_path / "seen").iterdir()}
