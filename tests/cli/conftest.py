"""The command line around a house of this test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from explainer.cli import main
from explainer.cli.rooms import Furnisher
from tests.house import House
from tests.registry.folders import FILES


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Shell = Callable[..., Done]


def run(house: House, *words: str, stdin: str = "", **environment: str) -> Done:
    """Run `explainer` with these words as a process would, but with the rooms of `house`."""
    given = {"EXPLAINER_VAR": str(house.rooms.settings.var), **environment}
    with CliRunner().isolation(input=stdin, env=given) as (out, err, *_):
        status = 0
        try:
            main(words, Furnisher(lambda settings: house.rooms))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        return Done(status, out.getvalue().decode(), err.getvalue().decode())


@pytest.fixture
def shell(house: House) -> Shell:
    return lambda *words, **more: run(house, *words, **more)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Three rows in lines 2, 4 and 5, and a bad one in line 3."""
    path = tmp_path / "rows.csv"
    path.write_text("amount,months,purpose,phone\n12.5,24,house,true\nmuch,24,boat,true\n3,,car,0\n4,1,other,\n")
    return path


@pytest.fixture
def good_rows(tmp_path: Path) -> Path:
    path = tmp_path / "good.csv"
    path.write_text(FILES["background.csv"].decode())
    return path
