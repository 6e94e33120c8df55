"""A real OpenID Connect provider on this machine: describes itself, publishes keys, signs tokens, checks PKCE."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET = "explainer-pages", "s3cret/+"
AUDIENCE = "explainer"


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class IdentityProvider:
    """`claims` are those of whoever signs in next; `fetched` lists the paths that were asked for."""

    issuer: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # instead of what would be answered
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def add_key(self, kid: str, kind: str = "RSA") -> None:
        size = {"RSA": 2048, "EC": "P-256", "OKP": "Ed25519"}[kind]
        self.keys[kid] = jwk.generate_key(kind, size, {"kid": kid, "use": "sig"})  # type: ignore[arg-type]

    def token(self, kid: str = "one", *, header: dict[str, Any] | None = None, key: Any = None, **changed: Any) -> str:
        """Sign claims that are good for an hour, but for what is `changed`; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "anna-1",
            "iat": now,
            "exp": now + 3600,
            "preferred_username": "anna",
            "groups": ["credit-risk"],
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        stated = {"alg": "RS256", "kid": kid, **(header or {})}
        signer = key or self.keys[kid]
        return jwt.encode(stated, kept, signer, algorithms=[stated["alg"]])

    def authorize(self, address: str) -> str:
        """What a browser does there: sign in, and be led back; returns the address it is led to."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def answer(self, path: str, form: dict[str, str], login: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
            }
        if path == "/jwks":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys.values()]}
        return self._exchange(form, login) if path == "/token" else (404, {})

    def _exchange(self, form: dict[str, str], login: str) -> tuple[int, Any]:
        asked = self._codes.pop(form.get("code", ""), None)
        wanted = base64.b64encode(f"{CLIENT}:s3cret%2F%2B".encode()).decode()
        if login != f"Basic {wanted}" or asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 401, {"error": "invalid_client"}
        if text(sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": self.token(**{"aud": CLIENT, "nonce": asked["nonce"], **self.claims})}


@contextmanager
def running() -> Iterator[IdentityProvider]:
    """The provider behind a socket of its own, with one RSA key named `one`."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.fetched.append(path)
            length = int(self.headers.get("Content-Length") or 0)
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
            status, body = provider.answer(path, form, self.headers.get("Authorization", ""))
            status, data = provider.answers.get(path, (status, json.dumps(body).encode()))
            self.send_response(status)
            if status in {301, 302}:
                self.send_header("Location", data.decode())
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        provider.add_key("one")
        try:
            yield provider
        finally:
            server.shutdown()
