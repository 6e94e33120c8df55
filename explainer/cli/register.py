"""`explainer register PATH`: a model folder becomes a registered version, or every reason why not is printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from explainer.cli.problems import say_problems
from explainer.cli.rooms import desk
from explainer.errors import ExplainerError
from explainer.registry.approval import blocking, pending
from explainer.usecases.register import register


@click.command("register")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output, one line for each folder")
def command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check each model folder, try it in an isolated process, and register it; status 1 when one was refused."""
    refused = 0
    with desk(workers=True) as at:
        for path in paths:
            try:
                version = register(at.rooms, at.caller(), path)
            except ExplainerError as error:
                refused += 1
                _say_refused(path, error, as_json)
                continue
            m = version.manifest
            if as_json:
                line = {"path": str(path), "name": m.name, "version": m.version, "digest": version.digest}
                found = [notice.code for notice in blocking(version)]
                click.echo(json.dumps({**line, "pending": pending(version), "findings": found}))
                continue
            click.echo(f"Registered {m.name} version {m.version}, digest {version.digest[:12]}, in {version.folder}.")
            for notice in version.notices:
                click.echo(f"  note ({notice.code}): {notice.detail}")
    sys.exit(1 if refused else 0)


def _say_refused(path: Path, error: ExplainerError, as_json: bool) -> None:
    if as_json:
        problems = [{"where": p.where, "rule": p.rule, "detail": p.detail} for p in error.problems]
        click.echo(json.dumps({"path": str(path), "code": error.code, "detail": error.detail, "problems": problems}))
        return
    told = f"{len(error.problems)} problems" if len(error.problems) > 1 else error.detail
    click.echo(f"{path}: {error.title}: {told}", err=True)
    say_problems(error.problems)
