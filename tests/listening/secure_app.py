"""The same app and settings as `small_app`, with TLS."""

from __future__ import annotations

import os
from pathlib import Path

from explainer.listening.tls import Certificate
from explainer.listening.worker import listening
from tests.listening import small_app
from tests.listening.small_app import app, bind, graceful_timeout, keepalive, threads, worker_connections

__all__ = ["app", "bind", "graceful_timeout", "keepalive", "threads", "worker_connections"]

certfile, keyfile = os.environ["CERTIFICATE"], os.environ["KEY"]
worker_class = listening(small_app.worker_class.limits, Certificate(Path(certfile), Path(keyfile)))
