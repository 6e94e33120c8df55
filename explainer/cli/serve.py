"""`explainer serve`: the web process under gunicorn."""

from __future__ import annotations

import errno
import socket

import click

from explainer.errors import Conflict, InvalidOption
from explainer.settings import Settings


@click.command("serve")
@click.option("--host", help="Address to listen on (default: EXPLAINER_HOST or 127.0.0.1)")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: EXPLAINER_PORT or 8080)")
def command(host: str | None, port: int | None) -> None:
    """Serve the registered models over HTTP and pages until stopped."""
    settings = Settings.from_environment()
    check_free(host or settings.host, port or settings.port)
    run(settings, host or settings.host, port or settings.port)


def check_free(host: str, port: int) -> None:
    """Raises Conflict when another program listens there already, InvalidOption for an address that is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Conflict(f"Port {port} of {host} is in use by another program; choose another port.") from None
            raise InvalidOption(f"host: {host}:{port} cannot be listened on: {error.strerror}.") from None


def run(settings: Settings, host: str, port: int) -> None:
    """Run gunicorn with one web process; models live in worker processes of their own."""
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"])
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("workers", 1)
            self.cfg.set("threads", settings.threads)
            self.cfg.set("timeout", 0)
            self.cfg.set("graceful_timeout", 15)
            self.cfg.set("keepalive", 30)
            self.cfg.set("loglevel", settings.log_level.lower())
            self.cfg.set("proc_name", "explainer")
            if "control_socket_disable" in self.cfg.settings:  # since gunicorn 25
                self.cfg.set("control_socket_disable", True)

        def load(self) -> object:
            from explainer.wsgi import application

            return application()

    Server().run()
