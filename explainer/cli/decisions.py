"""`explainer decisions`: bring decisions in from a file, list them, show one, write a notice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from explainer.api.decision_lines import case_line, decision_line
from explainer.cli.rooms import Desk, desk
from explainer.errors import Conflict, InvalidOption
from explainer.registry.tables import Line, read_table
from explainer.reviews.wanted import ORDERS, SHOWS, Wanted
from explainer.usecases import cases
from explainer.usecases.decisions import DecisionAsk, bring
from explainer.usecases.models import show_model

EVERY = 100  # decisions between two lines of progress


@click.group("decisions")
def command() -> None:
    """Decisions that people review. Verdicts are given on the pages or over HTTP, by somebody with a name."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file hold what is not a feature."""

    external_id: str | None
    subject: str | None
    outcome: str | None

    def named(self) -> tuple[str, ...]:
        return tuple(name for name in (self.external_id, self.subject, self.outcome) if name is not None)

    def of(self, line: Line) -> dict[str, Any]:
        given = {"external_id": self.external_id, "subject": self.subject, "outcome": self.outcome}
        found = {key: line.carried.get(name) for key, name in given.items() if name is not None}
        return {key: str(value) for key, value in found.items() if value not in (None, "")}


@command.command("import")
@click.argument("model")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help="CSV, JSONL or Parquet")
@click.option("--version", help="A version other than the current one")
@click.option("--id", "external_id", help="The column with your own name of each case; given again it is passed over")
@click.option("--subject", help="The column with your reference of whom it is about")
@click.option("--outcome", help="The column with what was decided, in the manifest's words (default: the model's)")
@click.option("--ignore", "ignored", multiple=True, help="A column of the file that is no feature (may be repeated)")
@click.option("--due-days", type=click.IntRange(1, 3650), help="Days until a person should have decided")
def bring_in(model: str, source: Path, version: str | None, due_days: int | None, **columns: Any) -> None:
    """Bring the rows of a file in as decisions of MODEL; status 1 when some were refused, each named."""
    ignored = columns.pop("ignored")
    chosen = Columns(**columns)
    done = known = refused = 0
    with desk(workers=True) as at:
        features = show_model(at.rooms, at.caller(), model, version).version.manifest.features
        for line in read_table(source, features, (*ignored, *chosen.named())):
            if line.problems:
                refused += 1
                for problem in line.problems:
                    click.echo(f"{source.name}: {problem.where}: {problem.detail}", err=True)
                continue
            try:
                ask = DecisionAsk(model, line.row, version, due_days=due_days, **chosen.of(line))
                bring(at.rooms, at.serving, at.caller(), ask)
                done += 1
            except Conflict:
                known += 1
            except InvalidOption as error:
                refused += 1
                click.echo(f"{source.name}: line {line.number}: {error.detail}", err=True)
            if (done + known + refused) % EVERY == 0:
                click.echo(f"{done + known + refused} rows", err=True)
    click.echo(f"{done} decisions brought in, {known} known already, {refused} rows refused.")
    sys.exit(1 if refused else 0)


@command.command("list")
@click.option("--show", type=click.Choice(SHOWS), default="waiting", show_default=True, help="Which")
@click.option("--model", help="Only those of one model")
@click.option("--id", "external_id", default="", help="Your own name of the case; --model has to be given too")
@click.option("--flag", help="Only those with this reason to look")
@click.option("--sort", type=click.Choice(list(ORDERS)), default="priority", show_default=True, help="In which order")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, a line each")
def list_all(external_id: str, limit: int, as_json: bool, **wanted: Any) -> None:
    """List decisions, what needs a person first."""
    with desk() as at:
        for line in _lines(at, Wanted(**wanted), external_id, limit):
            if as_json:
                click.echo(orjson.dumps(line).decode())
                continue
            named = line["external_id"] or ""
            flags = ", ".join(line["flags"])
            outcome = line["outcome"] or ""
            click.echo(f"{line['id']} {line['due_at'][:10]} {line['status']:12} {outcome:12} {named:20} {flags}")


def _lines(at: Desk, wanted: Wanted, external_id: str, limit: int) -> Iterator[dict[str, Any]]:
    page, given = min(limit, 200), 0
    while given < limit:
        asked = Wanted(
            **{**{n: getattr(wanted, n) for n in ("show", "model", "flag", "sort")}, "limit": page}, offset=given
        )
        found = cases.queue(at.rooms, at.caller(), asked, external_id)
        for case, hidden in list(zip(found.cases, found.hidden, strict=True))[: limit - given]:
            yield decision_line(case, found.policies[case.facts.model], hidden)
        given += len(found.cases)
        if len(found.cases) < page:
            return


@command.command("show")
@click.argument("decision")
def show(decision: str) -> None:
    """Print all that is known of one decision as JSON."""
    with desk() as at:
        found = cases.open_case(at.rooms, at.caller(), decision)
        click.echo(orjson.dumps(case_line(found), option=orjson.OPT_INDENT_2).decode())


@command.command("notice")
@click.argument("decision")
@click.option("--output", type=click.Path(path_type=Path), help="A .pdf or .html file (default: JSON to stdout)")
@click.option("--language", help="The language of the letter (default: as EXPLAINER_NOTICE_LANGUAGE says)")
@click.option("--jurisdiction", help="Default: as the manifest says")
@click.option("--packet", is_flag=True, help="The fuller packet for the subject")
def notice(decision: str, output: Path | None, language: str | None, jurisdiction: str | None, packet: bool) -> None:
    """Write the notice to whom it concerns; status 1 when it may not be sent, with the reason."""
    from explainer.usecases.notices import NoticeWish
    from explainer.usecases.notices import notice as made_of

    kinds = {".pdf": "pdf", ".html": "html"}
    if output is not None and output.suffix.lower() not in kinds:
        raise InvalidOption("output: the name must end with .pdf or .html.")
    form = "json" if output is None else kinds[output.suffix.lower()]
    with desk() as at:
        made = made_of(at.rooms, at.caller(), decision, NoticeWish(language, jurisdiction, packet, form))
    if output is None:
        click.echo(orjson.dumps(made.plain, option=orjson.OPT_INDENT_2).decode())
    else:
        output.write_bytes(made.content)
        click.echo(f"{output} written, {len(made.content):,} bytes.", err=True)
