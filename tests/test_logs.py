"""Proves what log lines hold and what never gets into them, with real processes and real files of output."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from explainer import logs
from explainer.errors import StorageFailed
from explainer.logs import JsonLines, PlainLines, described, without_secrets
from explainer.settings import Settings, SettingsError

KEY = "xk_aaaaaaaa_" + "Abc-_9" * 7
ROW = "987.625"


def record(message: str, *args: object, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("explainer.app", logging.ERROR, "app.py", 7, message, args, info)
    made.__dict__.update(extra)
    return made


def line(message: str, *args: object, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(JsonLines("web").format(record(message, *args, **more)))
    return found


def failed(with_value: str) -> ValueError:
    """An error with frames and a cause, whose messages quote a row."""
    secret_local = with_value
    try:
        try:
            float(secret_local)
            raise TypeError(f"cause {secret_local}")
        except TypeError as cause:
            raise ValueError(f"could not convert {secret_local}") from cause
    except ValueError as error:
        return error


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    logs.about()
    yield
    logs.about()


def test_a_line_is_one_json_object_with_its_facts() -> None:
    """Time with zone, level, event, message, process; what the thread is about, and the event's own facts."""
    logs.about(request_id="r-1")
    found = line("answered %d", 200, **logs.event("http.request", route="/x", status=200))
    assert found.pop("time").endswith("+00:00")
    assert found.pop("pid") > 0
    assert found == {
        "level": "error",
        "event": "http.request",
        "message": "answered 200",
        "process": "web",
        "request_id": "r-1",
        "route": "/x",
        "status": 200,
    }
    assert "\n" not in JsonLines("web").format(record("two\nlines"))


def test_a_line_without_an_event_is_named_after_its_logger() -> None:
    """Libraries know no events."""
    assert line("x")["event"] == "explainer.app"


def test_an_exception_is_told_by_type_and_frames_without_messages() -> None:
    """Type, place and cause are there; neither the message nor a local value is, in either format."""
    error = failed(ROW)
    told = line("it failed", error=error)["exception"]
    assert told["type"] == "ValueError"
    assert told["cause"]["type"] == "TypeError"
    assert told["frames"][0].endswith(" failed")
    assert "test_logs.py:" in told["frames"][0]
    plain = PlainLines("web").format(record("it failed", error=error))
    assert plain.count("\n") >= 4
    assert "ValueError" in plain
    assert ROW not in plain + json.dumps(told)


def test_the_name_of_an_error_of_ours_is_whole() -> None:
    """The module tells whose error it is."""
    assert described(StorageFailed("x"))["type"] == "explainer.errors.StorageFailed"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"key {KEY} is bad", "key [hidden] is bad"),
        (f"Authorization: Bearer {KEY}", "Authorization: [hidden]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: [hidden]"),
        ("sent bearer eyJhbGciOi.J9.sig now", "sent bearer [hidden] now"),
        ("password=hunter2&x=1", "password=[hidden]&x=1"),
        ('{"password": "hunter2", "x": 1}', '{"password": "[hidden]", "x": 1}'),
        ("EXPLAINER_REDIS_URL redis://me:hunter2@host:6379/0", "EXPLAINER_REDIS_URL redis://me:[hidden]@host:6379/0"),
        ("Cookie: explainer_session=hunter2; theme=dark", "Cookie: [hidden]; theme=dark"),
        ("explainer_session=hunter2", "explainer_session=[hidden]"),
        ("client_secret: hunter2", "client_secret: [hidden]"),
        ("X-Api-Key: hunter2", "X-Api-Key: [hidden]"),
        ("http://localhost:8080/readyz answered", "http://localhost:8080/readyz answered"),
        ("the session:create event, 3 tokens left", "the session:create event, 3 tokens left"),
    ],
)
def test_secrets_are_hidden_and_nothing_else(text: str, left: str) -> None:
    """The second line of defence, should a secret ever reach a log call; also inside facts and in plain lines."""
    assert without_secrets(text) == left
    assert line("%s", text, **logs.event("e", fact=text))["message"] == left
    assert line("%s", "x", **logs.event("e", fact=text))["fact"] == left
    assert left in PlainLines("web").format(record(text))


def test_every_hint_comes_before_its_pattern() -> None:
    """Whatever the pattern hides, the quick look sees a reason to apply it."""
    for sample in (KEY, "bearer x", "a://b:c@d", "passwd=x", "api-key=x", "apikey: x", "api_key=x", "TOKEN=x"):
        assert without_secrets(sample) != sample
        assert any(hint in sample.lower() for hint in logs.HINTS), sample


def test_a_plain_line_reads_well() -> None:
    """For people: the message, then the facts in brackets."""
    text = PlainLines("web").format(record("answered", **logs.event("http.request", status=200, model=None)))
    assert text.endswith("error web answered [event=http.request status=200]")


@pytest.mark.parametrize("wrong", [{"log_level": "LOUD"}, {"log_format": "xml"}])
def test_a_setting_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    """With its name and what it may be."""
    with pytest.raises(SettingsError, match=f"EXPLAINER_{next(iter(wrong)).upper()}="):
        logs.set_up(Settings(**wrong), "web")


def run(code: str, **settings: str) -> tuple[str, list[dict[str, Any]]]:
    """What a process with these log settings writes on standard error, and its lines as objects."""
    begin = (
        "import logging, threading, warnings\nfrom explainer import logs\nfrom explainer.settings import Settings\n"
        f"logs.set_up(Settings(**{settings!r}), 'web')\n"
    )
    done = subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.stderr, [json.loads(part) for part in done.stderr.splitlines() if part.startswith("{")]


def test_away_from_a_terminal_lines_are_json_by_default() -> None:
    """`auto` looks at standard error; the level is kept to."""
    text, lines = run("logging.getLogger('a').info('one'); logging.getLogger('a').debug('two')")
    assert [x["message"] for x in lines] == ["one"]
    assert text.count("\n") == 1


def test_plain_can_be_asked_for() -> None:
    """The same line for people."""
    text, lines = run("logging.getLogger('a').info('one')", log_format="plain")
    assert lines == []
    assert " info web one [event=a]" in text


def test_every_way_out_of_a_process_is_caught() -> None:
    """Libraries, gunicorn, warnings, an uncaught exception, one in a thread: all as lines, none with a value."""
    code = f"""
logging.getLogger("gunicorn.error").info("gunicorn says so")
logging.getLogger("werkzeug").info("werkzeug too")
warnings.warn("careful")
logging.getLogger("a").error("%d", "not a number {ROW}")
def fail():
    raise ValueError("{ROW}")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""
    text, lines = run(code)
    assert len(lines) == text.count("\n"), text
    assert [x["event"] for x in lines] == [
        "gunicorn.error",
        "werkzeug",
        "py.warnings",
        "log.failed",
        "process.failed",
        "process.failed",
    ]
    assert ROW not in text
    assert lines[-1]["exception"]["type"] == "ValueError"


def test_lines_of_gunicorn_are_ours() -> None:
    """Set up after gunicorn's logger, its lines are written once, as ours; requests have no second line from it."""
    code = """
from gunicorn.config import Config
from gunicorn.glogging import Logger
log = Logger(Config())
logs.set_up(Settings(), "web")
log.info("listening at %s", "x")
assert not log.access_log_enabled
"""
    text, lines = run(code)
    assert [(x["event"], x["message"]) for x in lines] == [("gunicorn.error", "listening at x")], text
    assert text.count("\n") == 1
