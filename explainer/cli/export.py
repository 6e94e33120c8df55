"""`explainer export`: explains a file of any size into a folder that can be proven; resumes after any failure."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson

from explainer.cli.rooms import desk
from explainer.exports.jobs import Job
from explainer.exports.runners import start
from explainer.exports.verify import verify
from explainer.records import ExplainOptions
from explainer.usecases.exports_decisions import DecisionQuery, query_of
from explainer.usecases.exports_local import LocalAsk, export_here
from explainer.usecases.exports_plan import Forecast, forecast
from explainer.usecases.exports_spec import ExportAsk

SPACES = click.Choice(["probability", "log_odds", "raw"])
EVERY_S = 5.0  # between two plain lines of progress


class Exporting(click.Group):
    """`export MODEL` is the command itself; `plan` and `verify` are commands under it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self.commands["run"]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "run", self.commands["run"], args
        return super().resolve_command(ctx, args)


@click.group("export", cls=Exporting, invoke_without_command=False)
def command() -> None:
    """Explain a file of any size into a folder: `explainer export MODEL --input FILE --output FOLDER`.

    Begun again with the same words it goes on where it stopped. A model may not be called plan, run or verify here.
    """


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is exported."""
    options = [
        click.argument("model"),
        click.option("--input", "source", type=click.Path(path_type=Path),
                     help="CSV, JSONL or Parquet (text also .gz, .zst), or a folder of such"),
        click.option("--decisions", metavar="QUERY",
                     help="Or decisions that are kept here: 'show=decided, since=2026-01-01, until=2026-04-01'"),
        click.option("--version", help="A version other than the current one"),
        click.option("--format", "output_format", type=click.Choice(["parquet", "csv", "jsonl"]), default="jsonl",
                     show_default=True, help="What is written"),
        click.option("--long", "long_form", is_flag=True, help="One row for each feature instead of each explanation"),
        click.option("--carry", multiple=True, help="A column to carry along (may be repeated)"),
        click.option("--ignore", multiple=True, help="A column that is no feature; '*' means all such"),
        click.option("--where", help='Only some rows: adverse, favourable, or "prediction >= 0.7"'),
        click.option("--method", default="auto", show_default=True, help="auto, shap, lime, or a method's own name"),
        click.option("--space", type=SPACES, help="The output space (default: as the manifest says)"),
        click.option("--class", "class_name", help="Which class; 'all' gives every one"),
        click.option("--top", type=click.IntRange(1), help="Only so many leading features, the rest as one sum"),
        click.option("--tolerance", type=click.FloatRange(0, min_open=True), help="Largest half-width of the interval"),
        click.option("--separate", type=click.IntRange(1), help="So many leading features, their order beyond doubt"),
        click.option("--max-evaluations", type=click.IntRange(1), help="Most model rows evaluated for one row"),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Default: derived from model, row and settings"),
        click.option("--delimiter", default=",", show_default=True, help="What separates the cells of a CSV"),
        click.option("--encoding", default="utf-8", show_default=True, help="Encoding of text, such as cp1252, utf-16"),
        click.option("--chunk-rows", type=click.IntRange(1, 1_000_000), help="Rows that are computed together"),
        click.option("--runner", default=f"joblib:{os.cpu_count() or 1}", show_default=True,
                     help="serial, joblib:N, dask:N, dask://host:port, ray:N or ray://host:port"),
        click.option("--json", "as_json", is_flag=True, help="Machine-readable output"),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@command.command("run", hidden=True)
@asking
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder that is written")
@click.option("--models", help="Where workers fetch the model: https://host/registry (default: the registry's folder)")
@click.option("--stop-on-reject", is_flag=True, help="Stop at the first row that does not fit")
def run(output: Path, models: str | None, stop_on_reject: bool, **given: Any) -> None:
    """Explain rows of files, or stored decisions; status 1 when some were rejected, rejects.csv says which."""
    runner, as_json, source = given.pop("runner"), given.pop("as_json"), source_of(given)
    ask = ask_of(given, stop_on_reject)
    with desk() as at, Progress(quiet=as_json) as progress:
        local = LocalAsk(ask, source, output, progress.stopping, progress.reached, models)
        job = export_here(at.rooms, at.caller(), local, lambda: start(runner))
    told = line_of(job)
    click.echo(orjson.dumps(told).decode() if as_json else _sentence(told, output), err=not as_json)
    sys.exit(1 if job.progress.rejected else 0)


@command.command("plan")
@asking
@click.option("--sample", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Rows that are tried")
def plan(sample: int, **given: Any) -> None:
    """Say what an export would take, measured on its first rows: method, evaluations, time, size."""
    runner, as_json, source = given.pop("runner"), given.pop("as_json"), source_of(given)
    with desk() as at:
        found = forecast(at.rooms, at.caller(), ask_of(given, False), source, sample, runner)
    click.echo(orjson.dumps(found).decode() if as_json else _plan_lines(found))


@command.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="Public key of the installation (export-signing.pub)")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output")
def verify_folder(folder: Path, key: Path | None, as_json: bool) -> None:
    """Prove, without the service, that a finished folder is as it was written; status 1 when it is not."""
    verdict = verify(folder, key)
    if as_json:
        click.echo(orjson.dumps({"ok": verdict.ok, **_verdict(verdict)}).decode())
    else:
        for problem in verdict.problems:
            click.echo(f"BAD  {problem}")
        whose = "the key given" if key else f"key {verdict.key}; whose that is, --key would prove"
        if verdict.ok:
            click.echo(f"{verdict.files} files and {verdict.rows} rows are as they were written, signed by {whose}.")
    sys.exit(0 if verdict.ok else 1)


def source_of(given: dict[str, Any]) -> Path | DecisionQuery:
    """What --input or --decisions names; one of them has to be there."""
    source, text = given.pop("source"), given.pop("decisions")
    if (source is None) == (text is None):
        raise click.UsageError("Give either --input FILE or --decisions QUERY.")
    return query_of(text, given["model"]) if source is None else source


def ask_of(given: dict[str, Any], stop_on_reject: bool) -> ExportAsk:
    """The words of the command line as what is asked."""
    settings = {
        name: given[name]
        for name in ("method", "class_name", "top", "tolerance", "separate", "max_evaluations", "seed")
    }
    return ExportAsk(
        model=given["model"],
        version=given["version"],
        options=ExplainOptions(output=given["space"], **settings),
        output=given["output_format"],
        form="long" if given["long_form"] else "wide",
        carry=given["carry"],
        ignore=given["ignore"],
        where=given["where"],
        stop_on_reject=stop_on_reject,
        delimiter={"tab": "\t", r"\t": "\t"}.get(given["delimiter"], given["delimiter"]),
        encoding=given["encoding"],
        chunk_rows=given["chunk_rows"],
    )


def line_of(job: Job) -> dict[str, Any]:
    progress = job.progress
    return {
        "id": job.id,
        "state": job.state,
        "model": {"name": job.spec.model, "version": job.spec.version, "digest": job.spec.digest},
        "rows": progress.rows,
        "explained": progress.explained,
        "rejected": progress.rejected,
        "skipped": progress.skipped,
        "seconds": job.seconds,
    }


class Progress:
    """A bar on a terminal, a plain line now and then elsewhere; takes the signals that mean 'stop after this chunk'."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._stopping = quiet, False
        self._bar: Any = None
        self._last, self._reached = time.monotonic(), 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Progress:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def stopping(self) -> bool:
        return self._stopping

    def reached(self, job: Job) -> None:
        """Show how far it is: a share of the input, rows per second, the time that is left, what was rejected."""
        progress = job.progress
        if self._quiet:
            return
        if sys.stderr.isatty() and progress.total:
            if self._bar is None:
                self._bar = click.progressbar(
                    length=progress.total, file=sys.stderr, item_show_func=str, show_pos=False
                )
                self._bar.__enter__()
            self._bar.update(progress.read - self._reached, _speed(job))
            self._reached = progress.read
        elif time.monotonic() - self._last > EVERY_S:
            self._last = time.monotonic()
            click.echo(_speed(job), err=True)

    def _stop(self, number: int, frame: object) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        click.echo("Stopping after the chunks that are under way; once more stops at once.", err=True)


def _speed(job: Job) -> str:
    progress = job.progress
    rate = progress.rows / job.seconds if job.seconds else 0.0
    left = ""
    if progress.total and progress.read and job.seconds:
        left = f", {job.seconds * (progress.total - progress.read) / progress.read:,.0f} s left"
    return f"{progress.rows:,} rows, {rate:,.0f} rows/s{left}, {progress.rejected:,} rejected"


def _sentence(told: dict[str, Any], output: Path) -> str:
    return (
        f"{told['explained']:,} rows explained, {told['rejected']:,} rejected, {told['skipped']:,} left out by the "
        f"rule, in {told['seconds']:.1f} s: {output}"
    )


def _plan_lines(found: Forecast) -> str:
    methods = ", ".join(f"{name} ({share:.0%})" for name, share in found.methods.items()) or "none"
    return "\n".join(
        [
            f"input          {found.input_bytes:,} bytes, about {found.rows:,.0f} rows",
            f"method         {methods}; {found.exact_share:.0%} of the rows exactly",
            f"evaluations    {found.evaluations:,.0f} model rows, {found.evaluations_per_row:,.1f} for a row",
            f"time           about {found.seconds:,.0f} s with {found.workers} workers "
            f"({found.rows_per_second:,.0f} rows/s; {found.preparation_s:.1f} s to open the model, once a worker)",
            f"output         about {found.output_bytes:,.0f} bytes, twice that on disk while it runs",
            f"measured on    {found.sample} rows, {found.rejected} rejected, {found.skipped} left out by the rule",
        ]
    )


def _verdict(verdict: Any) -> dict[str, Any]:
    return {
        "key": verdict.key,
        "files": verdict.files,
        "rows": verdict.rows,
        "problems": list(verdict.problems),
    }
