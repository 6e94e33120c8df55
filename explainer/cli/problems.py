"""Problems on standard error, a line each; of many that are alike the first few are enough."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import click

from explainer.errors import Problem

SHOWN = 3  # of each kind: the same rule at the same place but for numbers


def say_problems(problems: Sequence[Problem]) -> None:
    """Print each problem; say how many more there are of a kind that came often."""
    seen: Counter[tuple[str, str]] = Counter()
    for problem in problems:
        kind = (re.sub(r"\d+", "#", problem.where), problem.rule)
        seen[kind] += 1
        if seen[kind] <= SHOWN:
            click.echo(f"  {problem.where}: {problem.detail} [{problem.rule}]", err=True)
    for (where, rule), count in seen.items():
        if count > SHOWN:
            click.echo(f"  ... and {count - SHOWN} more like it at {where} [{rule}]", err=True)
