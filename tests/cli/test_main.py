"""The command line as a whole: help, exit statuses, and how little is loaded for them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import click
import pytest

from explainer import __version__
from explainer.cli import COMMANDS, explainer
from tests.cli.conftest import Shell

LOADED = """
import json, sys
from explainer.cli import main
sys.argv = ["explainer", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
heavy = {"flask", "numpy", "pydantic", "sqlite3", "cryptography", "shap", "sklearn", "pandas", "gunicorn"}
print(json.dumps(sorted(heavy & set(sys.modules))), file=sys.stderr)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "explainer", *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Neither a web framework nor an array library is imported to print the help."""
    done = subprocess.run([sys.executable, "-c", LOADED, json.dumps(words)], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []
    assert ("serve" if "h" in words[0][:3] else __version__) in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_says_what_it_does(name: str, shell: Shell) -> None:
    """Each name leads to a command of that name with a help text and a line in the list."""
    command = import_module(f"explainer.cli.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    done = shell(name, "--help")
    assert (done.status, done.err) == (0, "")
    assert command.help
    assert COMMANDS[name] in " ".join(shell("--help").out.split())


def test_statuses_of_a_process() -> None:
    """As a process: help is 0, wrong usage is 2 with the usage on standard error."""
    assert run("--help").returncode == 0
    for words in ([], ["explode"], ["models", "--sideways"]):
        done = run(*words)
        assert done.returncode == 2, words
        assert "Usage: explainer" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_bad_setting_is_said(shell: Shell) -> None:
    """A variable that is no setting, or cannot be read, stops every command with status 1 and its name."""
    for name, value in (("EXPLAINER_COLOUR", "red"), ("EXPLAINER_PORT", "many")):
        done = shell("models", **{name: value})
        assert done.status == 1
        assert name in done.err


def test_names_that_are_no_commands() -> None:
    """Modules beside the commands cannot be called as one."""
    context = click.Context(explainer)
    assert explainer.get_command(context, "rooms") is None
    assert explainer.list_commands(context) == list(COMMANDS)
