"""A service that is told where to, sends what it notices."""

from __future__ import annotations

import http.client
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.attacks.service import attacked


def test_guessing_of_passwords_is_told_to_a_webhook(tmp_path: Path) -> None:
    """Twenty-five refused sign-ins reach the hook as one signed alert that names nobody."""
    got: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put((self.headers["X-Explainer-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            """Keep the test's output quiet."""

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    secret, channels = tmp_path / "secret", tmp_path / "alerts.toml"
    secret.touch(mode=0o600)
    secret.write_text("a secret of some length")
    url = f"http://127.0.0.1:{server.server_port}/"
    channels.write_text(f'[[webhook]]\nname = "ops"\nurl = "{url}"\nsecret_file = "{secret}"\n')
    try:
        with attacked(tmp_path, EXPLAINER_ALERTS=str(channels)) as at:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
            for i in range(25):
                client = http.client.HTTPConnection("127.0.0.1", at.port, timeout=60)
                client.request("POST", "/sign-in", f"name=person{i}&password=wrong+guess+{i}", headers)
                client.getresponse().read()
                client.close()
            signature, body = got.get(timeout=60)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert signature.startswith("v1=")
    told = json.loads(body)
    assert (told["kind"], told["subject"]) == ("lock-outs", "sign-in")
    assert b"person" not in body
    assert got.empty()
