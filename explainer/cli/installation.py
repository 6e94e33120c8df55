"""What `explainer doctor` can see without the rooms: versions, settings, the folder it writes to, the disk."""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from explainer.logs import HIDDEN
from explainer.settings import Settings
from explainer.usecases.inspect import Finding, Level

PACKAGE = "explainer"
MODEL_LIBRARIES = ("xgboost", "xgboost-cpu", "lightgbm", "catboost", "onnx", "onnxruntime", "pyarrow")
LITTLE, TOO_LITTLE = 2_000_000_000, 200_000_000  # bytes free on the disk
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def look_around(settings: Settings) -> list[Finding]:
    """Everything that can be said before a room is furnished."""
    return [*versions(), *in_force(settings), *folder(settings.var), *disk(settings.var)]


def versions() -> Iterator[Finding]:
    """Python and the installed libraries against what this program was made for."""
    try:
        wanted = [Requirement(text) for text in metadata.requires(PACKAGE) or ()]
        pythons = SpecifierSet(metadata.metadata(PACKAGE)["Requires-Python"] or "")
    except metadata.PackageNotFoundError:
        yield Finding(
            "note", "installation", "the package is not installed, so nothing says what it needs", "pip install ."
        )
        return
    fits = pythons.contains(platform.python_version(), prereleases=True)
    yield _against("Python", platform.python_version(), str(pythons), fits)
    for requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _library(requirement)
    present = {name: found for name in MODEL_LIBRARIES if (found := _installed(name)) is not None}
    listed = ", ".join(f"{name} {version}" for name, version in present.items())
    yield Finding("ok", "extras", listed or "none: scikit-learn models only")


def in_force(settings: Settings) -> Iterator[Finding]:
    """Settings that differ from their defaults, secrets by name only, and those that do not fit together."""
    given = {
        field.name: value if field.repr else HIDDEN
        for field in dataclasses.fields(settings)
        if (value := getattr(settings, field.name)) != field.default
    }
    listed = ", ".join(f"EXPLAINER_{name.upper()}={value}" for name, value in given.items())
    yield Finding("ok", "settings", listed or "all at their defaults")
    if settings.host not in {"127.0.0.1", "::1", "localhost"} and not settings.secure_cookies:
        found = f"it listens on {settings.host} and session cookies may travel without TLS"
        yield Finding("note", "settings", found, "put TLS in front and set EXPLAINER_SECURE_COOKIES=1")


def folder(var: Path) -> Iterator[Finding]:
    """Whether the folder can be written by us and read by nobody else."""
    if not var.exists():
        yield Finding("note", "folder", f"{var.absolute()} is not there yet; it is made when first needed")
        return
    if not var.is_dir():
        yield Finding("bad", "folder", f"{var.absolute()} is not a folder", "set EXPLAINER_VAR to a folder")
        return
    try:
        tempfile.TemporaryFile(dir=var).close()
        yield Finding("ok", "folder", f"{var.absolute()} can be written")
    except OSError as error:
        yield Finding("bad", "folder", f"{var.absolute()} cannot be written: {error.strerror}", "give it to this user")
    yield from _closed(var)


def disk(var: Path) -> Iterator[Finding]:
    """How much room is left where the records go."""
    place = next(p for p in (var.absolute(), *var.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    level: Level = "ok" if free >= LITTLE else "note" if free >= TOO_LITTLE else "bad"
    todo = "" if level == "ok" else "make room: without it no answer can be recorded, so none is given"
    yield Finding(level, "disk", f"{free / 1e9:.1f} GB free at {place}", todo)


def _closed(var: Path) -> Iterator[Finding]:
    """Only a folder that others may enter lets them at its files, so these are named only then."""
    mode = stat.S_IMODE(var.stat().st_mode)
    if not mode & OTHERS:
        yield Finding("ok", "folder", f"nobody else can look into it (mode {mode:o})")
        return
    yield Finding("bad", "folder", f"others may look into it (mode {mode:o})", f"chmod 700 {var.absolute()}")
    with os.scandir(var) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if ".db" in entry.name and stat.S_IMODE(entry.stat().st_mode) & OTHERS:
                yield Finding("bad", "folder", f"others may read {entry.name}", f"chmod 600 {entry.path}")


def _library(requirement: Requirement) -> Finding:
    found = _installed(requirement.name)
    if found is None:
        return Finding("bad", requirement.name, "it is not installed", f"pip install '{requirement}'")
    return _against(requirement.name, found, str(requirement.specifier), requirement.specifier.contains(found, True))


def _against(name: str, found: str, wanted: str, fits: bool) -> Finding:
    if fits:
        return Finding("ok", name, found)
    return Finding("bad", name, f"{found} is installed, {wanted} is needed", f"install {name} {wanted}")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
