"""A WSGI app and gunicorn settings with short limits, for the tests of the worker."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from explainer.listening.limits import Limits
from explainer.listening.worker import listening

worker_class = listening(
    Limits(
        head_s=0.8,
        body_s=1.0,
        answer_s=1.5,
        pace=1_000_000,
        body_bytes=200_000,
        small_bytes=10_000,
        held_bytes=400_000,
        backlog=3,
        farewell_s=0.5,
        connections=60,
    )
)
threads = 2
keepalive = 3
worker_connections = 100
graceful_timeout = 3
bind = os.environ.get("BIND", "127.0.0.1:0")


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """/echo sends the body back, /wait?s=, /many?bytes=, /fail raises, /gone?s= says whether its client left."""
    given = {k: float(v[0]) for k, v in parse_qs(environ["QUERY_STRING"]).items()}
    body = environ["wsgi.input"].read()
    match environ["PATH_INFO"]:
        case "/wait":
            time.sleep(given["s"])
        case "/many":
            body = b"x" * int(given["bytes"])
        case "/fail":
            raise ValueError("the app fails")
        case "/gone":
            with Path(os.environ["NOTE"]).open("a") as note:
                note.write(f"{watched(environ['gunicorn.socket'], given['s'])}\n")
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def watched(client: Any, seconds: float) -> str:
    """`gone` when the client hangs up within the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if client.recv(1, socket.MSG_PEEK) == b"":
                return "gone"
        except BlockingIOError:
            pass
        except ConnectionError:
            return "gone"
        time.sleep(0.01)
    return "there"
