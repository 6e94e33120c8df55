"""A real HTTP server on loopback that answers as a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]


@dataclass
class Told:
    """What the server does with each request, and what it saw: paths and bodies in order."""

    answer: Callable[[Any], Answer]
    paths: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    resets: int = 0  # how many of the next requests end in a reset connection
    hold: threading.Event = field(default_factory=threading.Event)  # released by the test where it makes it wait
    url: str = ""


@contextmanager
def serving(answer: Callable[[Any], Answer]) -> Iterator[Told]:
    """A server that answers until the block ends."""
    told = Told(answer)
    told.hold.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if told.resets:
                told.resets -= 1
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                self.close_connection = True
                return
            told.paths.append(self.path)
            told.bodies.append(json.loads(body))
            told.hold.wait(10)
            status, data = told.answer(told.bodies[-1])
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away before its answer is part of some tests."""

    server = Quiet(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


def as_json(value: Any) -> Answer:
    return 200, json.dumps(value).encode()
