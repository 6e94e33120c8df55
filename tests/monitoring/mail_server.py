"""A mail server that speaks as much SMTP as is needed to take a message, with STARTTLS and AUTH PLAIN."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Taken:
    """What arrived: each message as (was TLS on, who signed in, its text); `refusing` answers 451 to all of them."""

    port: int = 0
    refusing: bool = False
    messages: list[tuple[bool, str, str]] = field(default_factory=list)


@contextmanager
def mail_server(context: ssl.SSLContext | None) -> Iterator[Taken]:
    taken = Taken()

    class Session(socketserver.StreamRequestHandler):
        timeout = 20

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            secure, user = False, ""
            self.say("220 here")
            while line := self.rfile.readline():
                verb = line.decode().strip().upper()
                if verb.startswith("EHLO"):
                    self.say("250-here")
                    self.say("250 AUTH PLAIN" if secure or context is None else "250 STARTTLS")
                elif verb == "STARTTLS" and context is not None:
                    self.say("220 go on")
                    self.request = context.wrap_socket(self.request, server_side=True)
                    self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
                    secure = True
                elif verb.startswith("AUTH PLAIN"):
                    user = base64.b64decode(line.split()[2]).decode().replace("\0", ":")
                    self.say("235 welcome")
                elif verb == "DATA":
                    self.say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                    if not taken.refusing:
                        taken.messages.append((secure, user, text))
                    self.say("451 later" if taken.refusing else "250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        taken.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield taken
        finally:
            server.shutdown()
            thread.join()
