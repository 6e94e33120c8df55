"""Log lines on standard error, as JSON or for people: never a value of a row, never a secret."""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

import orjson

from explainer.settings import Settings, SettingsError

FORMATS: Final = ("auto", "json", "plain")
HIDDEN: Final = "[hidden]"
SECRETS: Final = re.compile(
    r"(?P<name>\bbearer\s+|\b[\w-]*(?:password|passwd|secret|token|session(?=[\"']?\s*=)|api[-_]?key|authorization|cookie)"
    r"[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|digest)\s+)?[^\s\"',;&]+"
    r"|(?P<url>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|\bxk_[\w-]+",
    re.IGNORECASE,
)
# A line without any of these holds nothing that the pattern finds; looking for them is twenty times quicker.
HINTS: Final = (
    *("bearer", "://", "passw", "secret", "token", "session", "authorization", "cookie", "xk_"),
    *("apikey", "api_key", "api-key"),
)
NOT_FACTS: Final = frozenset({"time", "level", "process", "message", "pid", "exception"})
Fields = Mapping[str, Any]
_about: ContextVar[Fields] = ContextVar("about", default={})  # noqa: B039  never changed in place


def set_up(settings: Settings, role: str) -> None:
    """Send every logger of this process, warnings and uncaught exceptions to standard error as `settings` say.

    `role` says which process this is: web, dispatcher, nursery, exports, supervisor. What gunicorn has set up for its
    own lines before is replaced. Raises SettingsError.
    """
    logging.config.dictConfig(_configuration(settings, role))
    logging.captureWarnings(True)
    # What no line of ours tells need not be looked up for each.
    logging.logThreads = logging.logMultiprocessing = False
    sys.excepthook = _uncaught
    threading.excepthook = lambda died: _uncaught(died.exc_type, died.exc_value, died.exc_traceback)


def _configuration(settings: Settings, role: str) -> dict[str, Any]:
    level = settings.log_level.upper()
    if level not in logging.getLevelNamesMapping():
        raise SettingsError(f"EXPLAINER_LOG_LEVEL={settings.log_level!r} is no level: DEBUG, INFO, WARNING or ERROR.")
    if settings.log_format not in FORMATS:
        raise SettingsError(f"EXPLAINER_LOG_FORMAT={settings.log_format!r} is none of: {', '.join(FORMATS)}.")
    plain = settings.log_format == "plain" or (settings.log_format == "auto" and sys.stderr.isatty())
    through = {"handlers": [], "propagate": True, "level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": PlainLines if plain else JsonLines, "role": role}},
        "handlers": {"stderr": {"()": Lines, "formatter": "line"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": through, "gunicorn.access": through, "werkzeug": through},
    }


def about(**fields: str | int | float | bool | None) -> None:
    """Say what the lines of this thread are about from now on, in place of what was said before."""
    _about.set(fields)


def event(name: str, **fields: str | int | float | bool | None) -> dict[str, object]:
    """Return the `extra` of a log call: a stable name, and facts that are no personal data; None says nothing."""
    return {"event": name, "fields": {fact: value for fact, value in fields.items() if value is not None}}


class JsonLines(logging.Formatter):
    """Each record as one JSON object."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        told = self._told(record)
        line = self._written(told)
        lower = line.lower()
        return self._written(_clean(told)) if any(hint in lower for hint in HINTS) else line

    def _written(self, told: Fields) -> str:
        return orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS, default=_kind).decode()

    def _told(self, record: logging.LogRecord) -> dict[str, Any]:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "message": record.getMessage(),
            "process": self._role,
            "pid": record.process,
            **_about.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            told["exception"] = described(record.exc_info[1])
        return told


class PlainLines(JsonLines):
    """Each record as a line for people, with one line more for each frame of an exception."""

    def _written(self, told: Fields) -> str:
        first = " ".join(str(told[name]) for name in ("time", "level", "process", "message"))
        facts = " ".join(f"{k}={v}" for k, v in told.items() if k not in NOT_FACTS)
        lines = [f"{first} [{facts}]"]
        exception = told.get("exception")
        while exception is not None:
            lines += [f"  {exception['type']}", *(f"    {frame}" for frame in exception["frames"])]
            exception = exception.get("cause")
        return "\n".join(lines)


class Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the standard error of this moment; a record that cannot be written down is told without its content."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        failed = {"level": "error", "event": "log.failed", "logger": record.name, "line": record.lineno}
        try:
            os.write(2, orjson.dumps(failed) + b"\n")
        except OSError:
            return  # nobody reads standard error any more: there is nowhere left to say so


def without_secrets(text: str) -> str:
    """Return `text` with bearer tokens, API keys, passwords and the like hidden: the second line of defence."""
    return SECRETS.sub(lambda found: f"{found['name'] or found['url'] or ''}{HIDDEN}", text)


def described(error: BaseException) -> dict[str, object]:
    """Return type, frames and cause of an exception. Its message is left out: it may quote a value of a row."""
    told: dict[str, object] = {"type": _name(error), "frames": _frames(error.__traceback__)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = {"type": _name(cause), "frames": _frames(cause.__traceback__)}
    return told


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames


def _clean(fields: Fields) -> Fields:
    return {name: without_secrets(value) if isinstance(value, str) else value for name, value in fields.items()}


def _kind(value: object) -> str:
    return type(value).__name__


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    log = logging.getLogger(__name__)
    log.critical("an exception that nothing caught", exc_info=error, extra=event("process.failed"))
