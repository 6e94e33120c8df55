"""Every secret of a service is planted, everything it writes is searched: none of them is found."""

from __future__ import annotations

import base64
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from explainer.cli.installation import in_force
from explainer.settings import Settings
from tests.attacks.service import Attacked, attacked

MASTER = base64.b64encode(b"planted master key of 32 bytes!!").decode()
REDIS, COLLECTOR, TYPED, SENT, ROW, ROW_TEXT = (
    "planted-redis-word-4711",
    "planted-collector-word-4712",
    "planted typed pass phrase 4713",
    "xk_plantedkeyofsomebodyelse4714",
    98_765_432.125,
    "planted text of a row 4715",
)
EXPLAIN = "/api/v1/models/steady/explain"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Said:
    """What a service said where, after it was asked much that went wrong."""

    answers: list[tuple[str, bytes]]
    log: str
    metrics: bytes
    commands: bytes
    doctor: str
    worker_environments: list[bytes]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    settings = {
        "EXPLAINER_LOG_LEVEL": "DEBUG",
        "EXPLAINER_MASTER_KEY": MASTER,
        "EXPLAINER_REDIS_URL": f"redis://cache:{REDIS}@127.0.0.1:9/0",
        "EXPLAINER_OTEL_ENDPOINT": f"http://traces:{COLLECTOR}@127.0.0.1:9",
    }
    with attacked(tmp_path_factory.mktemp("secrets"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def said(at: Attacked) -> Said:
    answers = [(question[1], ask(at, *question)) for question in questions(at.key)]
    metrics = ask(at, "GET", "/metrics", None, {"Authorization": f"Bearer {at.key}"})
    doctor = [
        subprocess.run(
            [sys.executable, "-m", "explainer", *words], env=at.environment, capture_output=True, text=True, check=False
        )
        for words in (["doctor"], ["keys", "list"])
    ]
    commands = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in at.processes())
    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in model_processes(at)]
    told = "".join(done.stdout + done.stderr for done in doctor)
    return Said(answers, at.log.read_text(), metrics, commands, told, environments)


def questions(key: str) -> list[tuple[str, str, bytes | None, dict[str, str]]]:
    """Requests that are answered, refused or cannot be understood, with a secret at every place."""
    bearer, json_type = {"Authorization": f"Bearer {key}"}, {"Content-Type": "application/json"}
    row = json.dumps({"instances": [[1.0, ROW, 2.0]]}).encode()
    form = f"name=ada&password={quote(TYPED)}".encode()
    return [
        ("POST", EXPLAIN, row, bearer | json_type),
        ("POST", EXPLAIN, json.dumps({"instances": [[1.0, 2.0, ROW_TEXT]]}).encode(), bearer | json_type),
        ("POST", EXPLAIN, f'{{"api_key": "{SENT}"'.encode(), bearer | json_type),
        ("POST", EXPLAIN, json.dumps({"instances": [], "password": TYPED}).encode(), bearer | json_type),
        ("GET", "/api/v1/models", None, {"Authorization": f"Bearer {SENT}"}),
        ("GET", "/api/v1/models", None, {"Authorization": f"Basic {SENT}"}),
        ("GET", f"/api/v1/models?key={SENT}", None, {}),
        ("GET", f"/sign-in?next=/models&password={quote(TYPED)}", None, {"Accept": "text/html"}),
        ("POST", "/sign-in", form, {"Content-Type": FORM, "Accept": "text/html"}),
        ("GET", "/account", None, {"Accept": "text/html", "Cookie": f"explainer_session={SENT}"}),
        ("GET", f"/invitation/{SENT}", None, {"Accept": "text/html"}),
    ]


def ask(at: Attacked, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    client = http.client.HTTPConnection("127.0.0.1", at.port, timeout=60)
    client.request(method, path, body, headers)
    answer = client.getresponse()
    told = str(answer.headers).encode() + answer.read()
    client.close()
    assert answer.status < 500, (path, told)
    return told


def model_processes(at: Attacked) -> list[int]:
    """The nursery and the workers: processes that hold model code, and what they descend from."""
    from tests.faults import processes

    roles = processes.roles(at.pid)
    assert roles["worker"]
    return [*roles["nursery"], *roles["worker"]]


def secrets(at: Attacked) -> dict[str, str]:
    return {
        "API key": at.key,
        "master key": MASTER,
        "password of Redis": REDIS,
        "password of the collector": COLLECTOR,
        "password of a person": TYPED,
        "password in an address": quote(TYPED),
        "key of somebody else": SENT,
    }


def found(at: Attacked, text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [name for name, secret in secrets(at).items() if secret.encode() in data]


def test_the_log_holds_no_secret_and_no_row(at: Attacked, said: Said) -> None:
    """At the level DEBUG, with a cache and a collector that refuse, and requests of every kind."""
    assert said.log.count("http.request") + said.log.count("GET ") > 5
    assert found(at, said.log) == []
    assert "98765432" not in said.log
    assert ROW_TEXT not in said.log


def test_answers_and_metrics_hold_no_secret(at: Attacked, said: Said) -> None:
    """What was sent as a key or password comes back in no answer, no header and no label of a meter."""
    assert b"explainer_" in said.metrics
    assert found(at, said.metrics) == []
    assert b"98765432" not in said.metrics
    assert {path: found(at, answer) for path, answer in said.answers if found(at, answer)} == {}


def test_the_process_list_holds_no_secret(at: Attacked, said: Said) -> None:
    """Anybody on the machine can read the command lines of all processes of the service."""
    assert b"explainer" in said.commands
    assert found(at, said.commands) == []


def test_commands_that_tell_about_the_installation_hold_no_secret(at: Attacked, said: Said) -> None:
    """`doctor` names the settings that are secrets and shows none; the list of keys shows none either."""
    assert "EXPLAINER_MASTER_KEY=[hidden]" in said.doctor
    assert "EXPLAINER_REDIS_URL=[hidden]" in said.doctor
    assert found(at, said.doctor) == []


def test_processes_that_hold_model_code_are_given_no_secret(at: Attacked, said: Said) -> None:
    """The nursery and the workers have no setting of the service in their environment, which model code could read."""
    for environment in said.worker_environments:
        assert found(at, environment) == []
        assert b"EXPLAINER_" not in environment


def test_the_disk_holds_no_key_and_no_password(at: Attacked, said: Said) -> None:
    """Keys and passwords are on the disk as hashes alone, the settings' secrets not at all."""
    files = [path for path in at.var.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert {path.name: found(at, path.read_bytes()) for path in files if found(at, path.read_bytes())} == {}


def test_settings_show_no_secret() -> None:
    """A secret is neither in the repr of the settings nor in what doctor tells of them."""
    words = ["redis_url", "master_key", "master_key_command", "otel_endpoint"]
    settings = Settings(**dict.fromkeys(words, "planted"))  # type: ignore[arg-type]
    assert "planted" not in repr(settings) + "".join(finding.found for finding in in_force(settings))


SECRET_NAMES = re.compile(r"password|secret|_key$|token|_url$|endpoint|command")
HARMLESS = {"public_url", "tls_key"}  # an address that people see; the name of a file


def test_a_setting_that_sounds_like_a_secret_is_one() -> None:
    """Whoever adds a setting with such a name keeps it out of the repr, or says here why it is harmless."""
    import dataclasses

    shown = {f.name for f in dataclasses.fields(Settings) if f.repr and SECRET_NAMES.search(f.name)}
    assert shown <= HARMLESS
