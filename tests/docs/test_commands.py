"""The commands that the pages tell people to type exist, and the README's request fits the model that it asks."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from explainer.cli import explainer
from explainer.demo.datasets import german_credit
from explainer.registry.rows import code_rows

PAGES = ("README.md", "SECURITY.md", "models/README.md", "docs/**/*.md")


def shell_lines(repository: Path) -> list[tuple[str, str]]:
    """(page, line) of every line in a shell block, continued lines joined."""
    found = []
    for pattern in PAGES:
        for page in sorted(repository.glob(pattern)):
            blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
            lines = "".join(blocks).replace("\\\n", " ").splitlines()
            found += [(str(page.relative_to(repository)), line.strip()) for line in lines]
    return found


def make_targets(repository: Path) -> set[str]:
    return set(re.findall(r"^([a-z]+):", (repository / "Makefile").read_text(), flags=re.MULTILINE))


def test_make_targets_exist(repository: Path) -> None:
    """Every `make X` in a shell block or in backquotes of a page is a target of the Makefile."""
    targets = make_targets(repository)
    texts = [page.read_text() for pattern in PAGES for page in repository.glob(pattern)]
    named = {name for text in texts for name in re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )*([a-z]+)", text, re.MULTILINE)}
    assert {"demo", "test", "lint"} <= named <= targets


def test_help_lists_every_target(repository: Path) -> None:
    """`make help` names each target that is meant for people, so none is hidden."""
    shown = subprocess.run(["make", "-C", repository, "help"], capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.+)$", (repository / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony is not None
    assert all(f"make {target} " in shown for target in phony[1].split())


def test_explainer_commands_and_options_exist(repository: Path) -> None:
    """Every `explainer ...` line of a shell block names a command, subcommands and options that there are."""
    lines = [(page, line) for page, line in shell_lines(repository) if re.match(r"(?:\S*/)?explainer ", line)]
    assert lines
    for page, line in lines:
        words = shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True)[1:]
        assert unknown(words) == [], f"{page}: {line}"


def unknown(words: list[str]) -> list[str]:
    """The words that are no command where one is needed, and the options that the command does not have."""
    command: click.Command = explainer
    context = click.Context(command)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(context, words[0])
        if below is None:
            return [words[0]]
        command, words = below, words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options = [word.split("=")[0] for word in words if word.startswith("-") and len(word) > 1]
    return [option for option in options if option not in known | {"--help", "--version"}]


def test_an_unknown_command_would_be_seen() -> None:
    """The check above is not blind: a command and an option that do not exist are reported."""
    assert unknown(["explode", "--now"]) == ["explode"]
    assert unknown(["serve", "--sideways"]) == ["--sideways"]


def test_the_readme_request_fits_the_demo_model(repository: Path) -> None:
    """The row of the README's curl line is a valid row of credit-gbm."""
    body = re.search(r"-d '(\{.+\})'", (repository / "README.md").read_text())
    assert body is not None
    assert code_rows(german_credit().features, json.loads(body[1])["instances"]).shape == (1, 19)


@pytest.mark.parametrize("name", ["credit-gbm", "credit-xgb", "credit-mlp", "diabetes-forest"])
def test_models_page_names_every_demo_model(repository: Path, name: str) -> None:
    """models/README.md has a line for each model that the demo builds."""
    assert f"| `{name}` |" in (repository / "models" / "README.md").read_text()
