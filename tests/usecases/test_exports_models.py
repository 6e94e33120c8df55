"""A version in a batch worker answers what the service's workers answer, and is the one that was asked for."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from explainer.attribution.batch import of_explanations
from explainer.errors import ModelRefused
from explainer.exports.chunks import Chunk, Done
from explainer.exports.runners.joblib import Joblib
from explainer.records import ExplainOptions, ModelVersion
from explainer.registry.rows import code_rows
from explainer.registry.store import Registry
from explainer.settings import Settings
from explainer.usecases.exports_models import Errand, LocalModel, Opening, open_here
from explainer.workers.opening import open_version
from tests.exports.jobs import spec_of
from tests.exports.models import FEATURES, PURPOSES, drawn, register


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, ModelVersion]:
    return register(tmp_path_factory.mktemp("registered"), background=150)


def test_the_same_answers_as_a_worker_gives(known: tuple[Settings, ModelVersion]) -> None:
    """Numbers and warnings, those about foreign rows among them, are what the worker of a request answers."""
    settings, version = known
    rows = [dict(zip((f.name for f in FEATURES), row, strict=True)) for row in drawn(60, seed=9)]
    rows += [{"amount": 99_999.0, "months": 1, "purpose": PURPOSES[3]}] * 3
    coded = code_rows(FEATURES, rows)
    served = open_version(Registry(settings).order(version))
    for options in (ExplainOptions(), ExplainOptions(class_name="all")):
        got = LocalModel(served, options).explain(coded)
        due = of_explanations(served.explain(coded, options))
        np.testing.assert_array_equal(got.values, due.values)
        assert got.notices == due.notices
    assert "foreign-row" in {code for _, _, code in due.notices}


def test_libraries_compute_with_one_thread(known: tuple[Settings, ModelVersion]) -> None:
    """Where a version is open in this process, matrix libraries have no threads that wait for one another."""
    open_here(Opening(str(known[0].registry), None, known[1].digest))
    assert {pool["num_threads"] for pool in importlib.import_module("threadpoolctl").threadpool_info()} == {1}


def test_a_version_is_found_by_its_digest_and_checked(known: tuple[Settings, ModelVersion]) -> None:
    """Another digest is refused; so is a file that was changed after registration."""
    settings, version = known
    opening = Opening(str(settings.registry), None, version.digest)
    assert open_here(opening).manifest == version.manifest
    with pytest.raises(ModelRefused, match="no version with the digest"):
        open_here(replace(opening, digest="0" * 64))
    file = version.folder / version.manifest.file
    data = file.read_bytes()
    file.chmod(0o600)
    try:
        file.write_bytes(b"X" + data[1:])
        with pytest.raises(ModelRefused):
            open_here(opening)
    finally:
        file.write_bytes(data)


def writes(errand: Errand, path: Path, chunk: Chunk) -> Done:
    """Explain a chunk, then say what comes of writing a file."""
    done = errand(chunk)
    try:
        path.write_text("out")
    except OSError as error:
        return replace(done, data=str(error).encode())
    return done


def test_workers_of_this_machine_are_closed_in(known: tuple[Settings, ModelVersion], tmp_path: Path) -> None:
    """A process of joblib explains, and can write no file: its model's code could not either."""
    settings, version = known
    spec = spec_of(tmp_path / "rows.csv", model="credit", digest=version.digest, carry=(), options=ExplainOptions())
    errand = Errand(Opening(str(settings.registry), None, version.digest, os.getpid()), spec)
    runner = Joblib(2)  # joblib takes no process for a single one
    header = tuple(feature.name for feature in FEATURES)
    chunks = [Chunk(i, "rows.csv", "csv", 2, 1, b"10,12,car\n", header) for i in range(2)]
    done = list(runner.run(partial(writes, errand, tmp_path / "out"), iter(chunks)))
    runner.close()
    assert [d.explained for d in done] == [1, 1]
    assert [d.data.partition(b": ")[0] for d in done] == [b"[Errno 13] Permission denied"] * 2
    assert not (tmp_path / "out").exists()


def test_a_worker_ends_with_its_coordinator(tmp_path: Path) -> None:
    """A worker whose parent is gone ends by itself; the test itself goes on."""
    code = (
        "import os, subprocess, sys, time\n"
        "from explainer.usecases.exports_models import end_with\n"
        "if len(sys.argv) > 1:\n"
        "    end_with(int(sys.argv[1])); print(os.getpid(), flush=True); time.sleep(60)\n"
        "else:\n"
        "    words = [sys.executable, __file__, str(os.getpid())]\n"
        "    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)\n"
        "    print(child.stdout.readline(), flush=True)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=100)
    pid, deadline = int(done.stdout), time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()
    assert os.getpid() != pid
