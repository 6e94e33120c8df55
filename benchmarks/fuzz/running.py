"""Starts a service with one small model, has schemathesis ask it with keys of several roles, and reads the findings."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.service import Attacked, attacked
from tests.faults import models

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
ROLES = ("demo", "administrator", "owner", "auditor")
CASES = re.compile(r"(\d+) generated")


@dataclass(frozen=True)
class Found:
    """One run: requests that were made, and what schemathesis said, the failures with a command that repeats each."""

    role: str
    requests: int
    good: bool
    said: str


@contextmanager
def service(folder: Path) -> Iterator[Attacked]:
    with attacked(folder) as running:
        yield running


def fuzz(at: Attacked, role: str, examples: int, seed: int) -> Found:
    """Ask with a new key of this role, `examples` times for each operation and kind of input."""
    key = models.run(at.environment, "keys", "add", f"fuzz-{role}-{seed}", "--role", role).strip().splitlines()[-1]
    root = f"http://127.0.0.1:{at.port}"
    program = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{root}/api/v1/openapi.json"]
    options = ["--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--continue-on-failure"]
    size = ["--max-examples", str(examples), "--seed", str(seed), "--phases", "coverage,fuzzing", "--no-color"]
    done = subprocess.run([*program, *options, *size], cwd=at.var, capture_output=True, text=True, check=False)
    counted = CASES.search(done.stdout)
    said = (done.stdout + done.stderr).replace(key, "<key>")
    return Found(role, int(counted[1]) if counted else 0, done.returncode == 0, said)
