"""`explainer demo`: builds the demo models, registers them while the service already runs, and says how to get in."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import secrets
import subprocess
import sys
from pathlib import Path

import click

from explainer.cli.rooms import desk
from explainer.cli.serve import check_free, run
from explainer.errors import Conflict, InvalidOption
from explainer.settings import Settings
from explainer.usecases import keys, people

DEMO_NAME = "demo"
SENDER = {  # whom the demo's notices name
    "EXPLAINER_NOTICE_SENDER": "Example Bank (a demonstration)",
    "EXPLAINER_NOTICE_ADDRESS": "1 Example Street, Example Town",
    "EXPLAINER_NOTICE_CONTACT": "reviews@bank.example",
    "EXPLAINER_NOTICE_AGENCY": "Example Authority, 2 Example Street, Example Town",
}


@click.command("demo")
@click.option("--host", help="Loopback address to listen on (default: 127.0.0.1)")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: 8080)")
@click.option("--models", type=click.Path(path_type=Path), help="Where the model folders are built")
@click.option("--build-only", is_flag=True, help="Build and register the models, and serve nothing")
def command(host: str | None, port: int | None, models: Path | None, build_only: bool) -> None:
    """Serve four demo models, with a sign-in and an API key that are made here and work only here."""
    settings = demo_settings(Settings.from_environment())
    host, port = host or settings.host, port or settings.port
    if not _is_loopback(host):
        raise InvalidOption(f"host: the demo listens on loopback only, not on {host}; use `explainer serve` for more.")
    environment = {
        **SENDER,
        **os.environ,
        "EXPLAINER_VAR": str(settings.var),
        "EXPLAINER_REGISTRY": str(settings.registry),
    }
    os.environ.update(environment)
    command = [sys.executable, "-m", "explainer.cli.demo_models", str(models or settings.var / "models")]
    if build_only:
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    check_free(host, port)
    password = _make_ways_in(settings)
    builder = subprocess.Popen(command, env=environment)  # noqa: S603
    click.echo(f"\n  explainer demo at http://{f'[{host}]' if ':' in host else host}:{port}")
    click.echo(f"  sign in as {DEMO_NAME} with the password {password}")
    click.echo(f"  API key for scripts: {settings.var / 'api-key'}\n")
    try:
        status = run(settings, host, port)
    finally:
        builder.terminate()
    sys.exit(status)


def demo_settings(settings: Settings) -> Settings:
    """The settings with everything under `var/demo`, unless the environment names another place."""
    var = settings.var / "demo" if "EXPLAINER_VAR" not in os.environ else settings.var
    registry = settings.registry if "EXPLAINER_REGISTRY" in os.environ else var / "registry"
    return dataclasses.replace(settings, var=var.absolute(), registry=registry.absolute())


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _make_ways_in(settings: Settings) -> str:
    """Make the demo's person and key once; return the person's password."""
    key_file, password_file = settings.var / "api-key", settings.var / "sign-in"
    with desk(settings) as at:
        if not password_file.exists():
            password = secrets.token_urlsafe(12)
            _write_secret(password_file, password)
            try:
                people.add_person(at.rooms, at.caller(), DEMO_NAME, password, "demo")
            except Conflict:
                raise InvalidOption(f"{password_file} is gone; remove {settings.var} to begin the demo anew.") from None
        if not key_file.exists():
            _write_secret(key_file, keys.add_key(at.rooms, at.caller(), keys.KeyAsk("demo scripts", "demo")).text)
    return password_file.read_text().strip()


def _write_secret(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
