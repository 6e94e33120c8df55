"""`explainer doctor`: says what of this installation is not as it should be, and what to do."""

from __future__ import annotations

import dataclasses
import json
import sys

import click

from explainer.cli.installation import look_around
from explainer.cli.rooms import desk
from explainer.errors import ExplainerError
from explainer.settings import Settings
from explainer.usecases.inspect import Finding, inspect

MARKS = {"ok": "ok", "note": "note", "bad": "BAD"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
def command(as_json: bool) -> None:
    """Look at versions, settings, folder, disk, registry, models, sandbox, ledger and keys; status 1 for any BAD."""
    findings = examine()
    bad = sum(f.level == "bad" for f in findings)
    if as_json:
        click.echo(json.dumps({"ok": bad == 0, "findings": [dataclasses.asdict(f) for f in findings]}, indent=2))
    else:
        for finding in findings:
            click.echo(_line(finding))
        click.echo(f"{bad} of {len(findings)} are BAD." if bad else "Everything is as it should be.")
    sys.exit(1 if bad else 0)


def examine() -> list[Finding]:
    """All findings; a room that cannot be furnished is one of them."""
    try:
        settings = Settings.from_environment()
    except ExplainerError as error:
        return [Finding("bad", "settings", error.detail, "see docs/reference/settings.md")]
    findings = look_around(settings)
    try:
        with desk(settings, workers=True) as at:
            findings += inspect(at.rooms, at.caller())
    except ExplainerError as error:
        findings.append(Finding("bad", "rooms", error.detail, "mend this first, then look again"))
    return findings


def _line(finding: Finding) -> str:
    todo = f"\n     -> {finding.do}" if finding.do else ""
    return f"{MARKS[finding.level]:4} {finding.what}: {finding.found}{todo}"
