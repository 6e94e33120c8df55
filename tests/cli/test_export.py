"""`explainer export`, in processes of its own where they are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from explainer.records import ModelVersion
from explainer.settings import Settings
from tests.exports.conftest import registered, rows_file

__all__ = ["registered", "rows_file"]
Registered = tuple[Settings, ModelVersion]
FILES = ("explanations.jsonl", "rejects.csv", "summary.json", "report.html")


def command(settings: Settings, *words: str) -> list[str]:
    return [sys.executable, "-m", "explainer", *words]


def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {"EXPLAINER_VAR": str(settings.var), "EXPLAINER_REGISTRY": str(settings.registry)}


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(settings, *words), capture_output=True, text=True, env=environment(settings), check=False, timeout=110
    )


def export(source: Path, output: Path, runner: str = "serial") -> list[str]:
    return ["export", "credit", "--input", str(source), "--output", str(output), "--carry", "id", "--runner", runner,
            "--chunk-rows", "100"]  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def undisturbed(registered: Registered, rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "undisturbed"
    done = run(registered[0], *export(rows_file, folder), "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["explained"], told["rejected"]) == ("done", 2997, 3)
    return folder


def test_done_twice_is_done_once(registered: Registered, rows_file: Path, undisturbed: Path) -> None:
    """The same words again find it finished; other settings for the same folder are refused."""
    before = (undisturbed / "manifest.json").read_bytes()
    again = run(registered[0], *export(rows_file, undisturbed))
    assert again.returncode == 1
    assert "2,997 rows explained, 3 rejected" in again.stderr
    assert (undisturbed / "manifest.json").read_bytes() == before
    other = run(registered[0], *export(rows_file, undisturbed), "--top", "1")
    assert other.returncode == 1
    assert "other settings" in other.stderr


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_coordinator_killed(
    registered: Registered, rows_file: Path, undisturbed: Path, tmp_path: Path, seed: int
) -> None:
    """Killed with -9 at a random chunk and begun again: the bytes of an undisturbed run, and nothing is left behind."""
    settings, at = registered[0], random.Random(seed).randrange(1, 28)
    words = command(settings, *export(rows_file, tmp_path / "out", "joblib:2"))
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment(settings)) as process:
        wait_for_parts(tmp_path / "out", at, process)
        workers = children(process.pid)
        process.kill()
    done = run(settings, *export(rows_file, tmp_path / "out"))
    assert "2,997 rows explained" in done.stderr, done.stderr
    assert files(tmp_path / "out") == files(undisturbed)
    assert run(settings, "export", "verify", str(tmp_path / "out")).returncode == 0
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.slow
def test_a_worker_killed(registered: Registered, rows_file: Path, undisturbed: Path, tmp_path: Path) -> None:
    """A worker killed with -9 costs its chunks; the export goes on by itself to the same bytes."""
    settings = registered[0]
    words = command(settings, *export(rows_file, tmp_path / "out", "joblib:2"))
    with subprocess.Popen(words, stderr=subprocess.PIPE, env=environment(settings), text=True) as process:
        wait_for_parts(tmp_path / "out", 3, process)
        for pid in children(process.pid):
            if "popen_loky" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
                break
        told = process.communicate(timeout=100)[1]
    assert "2,997 rows explained" in told
    assert files(tmp_path / "out") == files(undisturbed)


def test_asked_to_stop(registered: Registered, rows_file: Path, undisturbed: Path, tmp_path: Path) -> None:
    """SIGTERM: what is under way is kept, the status says that it is not finished, and it goes on later."""
    settings = registered[0]
    words = command(settings, *export(rows_file, tmp_path / "out"))
    with subprocess.Popen(words, stderr=subprocess.PIPE, env=environment(settings), text=True) as process:
        wait_for_parts(tmp_path / "out", 2, process)
        process.terminate()
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "goes on where it stopped" in told
    assert not (tmp_path / "out" / "manifest.json").exists()
    run(settings, *export(rows_file, tmp_path / "out"))
    assert files(tmp_path / "out") == files(undisturbed)


def test_plan(registered: Registered, rows_file: Path) -> None:
    """Method, rows and size are close to what comes of it; nothing is written."""
    done = run(registered[0], "export", "plan", "credit", "--input", str(rows_file), "--ignore", "id", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["methods"] == {"tree": 1.0}
    assert 2700 < found["rows"] < 3300
    assert found["seconds"] > 0
    lines = run(registered[0], "export", "plan", "credit", "--input", str(rows_file), "--ignore", "id").stdout
    assert "method         tree (100%); 100% of the rows exactly" in lines


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["export"], 2, "Usage"),
        (["export", "credit", "--output", "o"], 2, "--input"),
        (["export", "credit", "--output", "o", "--input", "x.csv", "--decisions", "show=all"], 2, "--decisions"),
        (["export", "credit", "--output", "o", "--decisions", "colour=red"], 1, "colour=red"),
        (["export", "credit", "--output", "o", "--input", "x.csv", "--models", "file:///etc"], 1, "x.csv"),
        (["export", "credit", "--input", "x.csv"], 2, "--output"),
        (["export", "credit", "--input", "x.csv", "--output", "o", "--format", "xlsx"], 2, "xlsx"),
        (["export", "credit", "--input", "absent.csv", "--output", "o"], 1, "absent.csv"),
        (["export", "absent", "--input", "absent.csv", "--output", "o"], 1, "absent"),
        (["export", "verify", "."], 1, "manifest.json"),
    ],
)
def test_wrong_words(registered: Registered, tmp_path: Path, words: list[str], status: int, said: str) -> None:
    """Wrong usage is 2, what is not there 1; each in one sentence."""
    done = subprocess.run(
        command(registered[0], *words),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(registered[0]),
        check=False,
    )
    assert done.returncode == status
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def wait_for_parts(folder: Path, count: int, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while len(list((folder / ".parts").glob("*.rows"))) < count:
        assert process.poll() is None, "it ended before it was disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
