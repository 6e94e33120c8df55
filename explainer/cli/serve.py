"""`explainer serve`: the service's processes under one supervisor."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from explainer import logs
from explainer.cli.processes import Program, Supervisor, module
from explainer.errors import Conflict, InvalidOption, StorageFailed
from explainer.monitoring.cells import FOLDER, clear
from explainer.settings import Settings
from explainer.workers.dispatch.address import listening

BACKLOG = 2048


@click.command("serve")
@click.option("--host", help="Address to listen on (default: EXPLAINER_HOST or 127.0.0.1)")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: EXPLAINER_PORT or 8080)")
def command(host: str | None, port: int | None) -> None:
    """Serve the registered models over HTTP and pages until stopped."""
    settings = Settings.from_environment()
    host, port = host or settings.host, port or settings.port

    def welcome() -> None:
        from explainer.cli.welcome import say_first_link  # loads every room: the models are being opened meanwhile

        say_first_link(settings, host, port)

    raise SystemExit(run(settings, host, port, welcome))


def check_free(host: str, port: int) -> None:
    """Raises Conflict when another program listens there already, InvalidOption for an address that is not ours."""
    bound(host, port).close()


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raises as `check_free` does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"Port {port} of {host} is in use by another program; choose another port.") from None
        raise InvalidOption(f"host: {host}:{port} cannot be listened on: {error.strerror}.") from None
    return sock


def run(settings: Settings, host: str, port: int, welcome: Callable[[], None] = lambda: None) -> int:
    """Serve until SIGTERM or SIGINT and return the exit status; `welcome` is called once the dispatcher is starting.

    The supervisor keeps both listening sockets: while a process is started anew, connections wait instead of failing.
    """
    logs.set_up(settings, "supervisor")
    clear(settings.var / FOLDER)
    with bound(host, port) as outside, _rendezvous(settings) as (path, inside):
        parent = str(os.getpid())
        dispatcher = module("explainer.dispatcher", "--listen", str(inside.fileno()), "--parent", parent)
        web = module("explainer.wsgi", "--listen", str(outside.fileno()), "--dispatcher", str(path), "--parent", parent)
        programs = [
            Program("dispatcher", dispatcher, [inside.fileno()]),
            Program(
                "exports",
                module("explainer.exporter", "--dispatcher", str(path), "--parent", parent),
                (),
                30,
                waits_s=6,
            ),
            Program("web", web, [outside.fileno()], settings.drain_s + 5),
        ]
        return Supervisor(programs).run(welcome)


@contextlib.contextmanager
def _rendezvous(settings: Settings) -> Iterator[tuple[Path, socket.socket]]:
    """Where web processes find the dispatcher, whichever process that is at the time."""
    folder = settings.var / "run"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _tidy(folder)
        path = folder.absolute() / f"{os.getpid()}.sock"
        inside = listening(path)
    except OSError as error:
        raise StorageFailed(f"The folder {folder} cannot be written to: {error.strerror}.") from error
    try:
        yield path, inside
    finally:
        inside.close()
        path.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Remove what services that were killed have left behind."""
    for path in folder.glob("*.sock"):
        if path.stem.isdecimal() and not Path(f"/proc/{path.stem}").exists():
            path.unlink(missing_ok=True)
