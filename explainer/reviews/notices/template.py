"""Which sections a notice has in a jurisdiction, read from its file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explainer.errors import InvalidOption

FOLDER = Path(__file__).parent / "templates"
PACKET = "packet"


@dataclass(frozen=True, slots=True)
class Said:
    """A text by its key, said where `when` holds (empty: always)."""

    key: str
    when: str


@dataclass(frozen=True, slots=True)
class Section:
    """`kind` says what stands between the `texts` and the texts `after` it."""

    kind: str
    when: str
    heading: str
    texts: tuple[Said, ...]
    rows: tuple[Said, ...]
    items: tuple[Said, ...]
    after: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """`needs` are the facts of the sender without which no notice is written."""

    name: str
    title: str
    needs: tuple[str, ...]
    sections: tuple[Section, ...]


def jurisdictions() -> tuple[str, ...]:
    """Return the names of the jurisdictions that have a template."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != PACKET))


def template(jurisdiction: str) -> Template:
    """Return the template of `jurisdiction`; raises InvalidOption for one that there is not."""
    if jurisdiction not in jurisdictions():
        detail = (
            f"jurisdiction: there is no template {jurisdiction[:40]!r} (decision.jurisdiction of the manifest); "
            f"there are {', '.join(jurisdictions())}."
        )
        raise InvalidOption(detail)
    return _read(FOLDER / f"{jurisdiction}.toml")


def addition() -> Template:
    """Return what the fuller packet adds to a notice."""
    return _read(FOLDER / f"{PACKET}.toml")


@cache
def _read(path: Path) -> Template:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    sections = tuple(
        Section(
            kind=entry["kind"],
            when=entry.get("when", ""),
            heading=entry.get("heading", ""),
            texts=_said(entry.get("texts", [])),
            rows=_said(entry.get("rows", [])),
            items=_said(entry.get("items", [])),
            after=_said(entry.get("after", [])),
        )
        for entry in document["sections"]
    )
    return Template(path.stem, document["title"], tuple(document["needs"]), sections)


def _said(entries: list[str]) -> tuple[Said, ...]:
    return tuple(Said(key, when) for key, _, when in (entry.partition("?") for entry in entries))
