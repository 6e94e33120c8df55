"""Facts about the wheel: an installed one has the data, the pages and the command."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SOURCES = ("explainer", "webui", "pyproject.toml", "README.md", "LICENSE")
NOT_CODE = ("*.html", "*.css", "*.js", "*.svg", "*.csv", "*.md", "*.toml", "*.json", "py.typed")
BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> zipfile.ZipFile:
    """The wheel, built from a copy of the sources, so that no build folder is left among them."""
    copy, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_all_modules_and_files_are_inside(wheel: zipfile.ZipFile, repository: Path) -> None:
    """Every module, template, static file and data file of both packages is in the wheel, with equal bytes."""
    inside = set(wheel.namelist())
    expected = {
        str(path.relative_to(repository))
        for package in ("explainer", "webui")
        for pattern in ("*.py", *NOT_CODE)
        for path in (repository / package).rglob(pattern)
    }
    assert "webui/templates/layout.html" in expected
    assert expected - inside == set()
    data = "explainer/demo/data/german_credit/credit.csv"
    assert wheel.read(data) == (repository / data).read_bytes()


def test_only_our_two_packages_are_inside(wheel: zipfile.ZipFile) -> None:
    """Tests, benchmarks and models are not installed; the top level holds both packages and the wheel's own facts."""
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"explainer", "webui"}


def test_the_command_is_declared(wheel: zipfile.ZipFile) -> None:
    """Installing the wheel gives the command `explainer`, which exists where it is said to be."""
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(name).decode())
    assert dict(entries["console_scripts"]) == {"explainer": "explainer.cli:main"}
    from explainer.cli import main

    assert callable(main)


def test_the_licence_goes_along(wheel: zipfile.ZipFile) -> None:
    """The wheel states Apache-2.0 and carries its text."""
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))).decode()
    assert "License-Expression: Apache-2.0" in metadata
    text = wheel.read(next(name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))).decode()
    assert "Version 2.0, January 2004" in text


@pytest.mark.slow
def test_the_installed_wheel_answers(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked elsewhere and run from there, the command shows its help and the demo finds its data."""
    wheel.extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import explainer, webui, explainer.demo.datasets as d\n"
        "assert explainer.__file__.startswith(sys.argv[1]) and webui.__file__.startswith(sys.argv[1])\n"
        "assert d.german_credit().rows.shape == (1000, 19)\n"
        "sys.argv = ['explainer', '--help']; from explainer.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout
