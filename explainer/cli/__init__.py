"""The command line: one file per command, loaded when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from explainer import __version__
from explainer.cli.problems import say_problems
from explainer.errors import ExplainerError

COMMANDS = {
    "serve": "Serve the registered models over HTTP and pages",
    "demo": "Build the demo models, register them and serve",
    "register": "Check a model folder, try it in isolation, and make it a registered version",
    "approve": "Let a version that waits into service, its findings accepted with reasons",
    "models": "List, show or retire registered versions; sign a model folder",
    "predict": "Predict the rows of a file",
    "explain": "Explain the rows of a file",
    "importance": "Say which features matter over the rows of a file",
    "export": "Explain a file of any size into a folder that can be proven",
    "decisions": "Decisions that people review: bring them in, list them, write notices",
    "replay": "Compute the answer of a receipt again and compare it to the bit",
    "users": "People who may sign in",
    "keys": "API keys of programs",
    "policies": "What each role sees of a model",
    "budgets": "How much of a model may be asked for",
    "ledger": "Verify the record of everything that happened",
    "subjects": "Show or erase all that is kept of one person",
    "retention": "How long receipts are kept, and what holds them",
    "reseal": "Bring what is kept under the first master key",
    "backup": "Copy accounts, receipts, ledger and registry while the service runs",
    "doctor": "Look at this installation and say what is not as it should be",
}


class Lazy(click.Group):
    """Imports `explainer.cli.<command>` only when that command runs, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"explainer.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="explainer")
def explainer() -> None:
    """Why did the model say that? Exit status: 0 good, 1 the answer is 'no', 2 wrong usage.

    Settings come from EXPLAINER_* variables, see docs/reference/settings.md.
    """


def main(words: Sequence[str] | None = None, obj: object = None) -> None:
    """Run the command that `words` say (default: this process's arguments); `obj` is its context's object.

    An error raised on purpose is printed with its reasons, and ends with status 1.
    """
    try:
        explainer(words, prog_name="explainer", standalone_mode=False, obj=obj)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except ExplainerError as error:
        click.echo(f"{error.title}: {error.detail}", err=True)
        say_problems(error.problems)
        sys.exit(1)
