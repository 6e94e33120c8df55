"""What the tests of pages share: a strict reader of HTML, and models whose rows can be tried."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

from explainer.records import Feature
from explainer.registry.digests import bytes_digest
from tests.house import House
from tests.registry.folders import manifest

SCRIPT = "<script>alert(1)</script>"
VOID = {"meta", "link", "input", "img", "br", "hr", "line", "rect", "circle"}


class Outline(HTMLParser):
    """Collects tags, ids and attributes, and finds tags that do not close as they should."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.faults: list[str] = []
        self.scripts = 0  # those that come from a file and hold nothing themselves

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script" and data.strip():
            self.scripts -= 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.scripts += tag == "script" and any(name == "src" for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def outline(text: str) -> Outline:
    """Read a page and hold it to what holds for every page: well-formed, ids once, nothing inline, nothing foreign."""
    found = Outline()
    found.feed(text)
    assert not found.faults
    assert not found.open
    assert len(set(found.ids)) == len(found.ids)
    assert found.scripts == found.tags.count("script"), "a script that stands in the page itself"
    assert "style" not in found.tags
    assert not [a for a in found.attributes if a[1] == "style" or a[1].startswith("on")]
    links = [value or "" for _, name, value in found.attributes if name in {"href", "src", "action"}]
    assert all(link.startswith(("/", "#")) for link in links)
    return found


def model_files(features: tuple[Feature, ...], rows: list[dict[str, Any]], outputs: list[float]) -> dict[str, bytes]:
    """The files of a model of these features; `rows` are its background, its samples and its golden rows."""
    lines = [",".join(json.dumps(f.name) for f in features)]
    lines += [",".join("" if r[f.name] is None else json.dumps(r[f.name]) for f in features) for r in rows]
    table = ("\n".join(lines) + "\n").replace('\\"', '""').encode()
    golden = {"rows": rows, "predictions": [outputs for _ in rows]}
    return {"background.csv": table, "samples.csv": table, "golden.json": json.dumps(golden).encode()}


def register(house: House, features: tuple[Feature, ...], rows: list[dict[str, Any]], **changes: Any) -> None:
    """Register a model whose samples can be tried on the page."""
    outputs = [1 / len(changes["classes"])] * len(changes["classes"]) if changes.get("classes") else [0.25, 0.75]
    if changes.get("task") == "regression":
        outputs = [1.5]
    files = model_files(features, rows, outputs)
    spec = manifest()
    house.register(
        files,
        features=features,
        background=dataclasses.replace(spec.background, rows=len(rows), sha256=bytes_digest(files["background.csv"])),
        golden=dataclasses.replace(spec.golden, sha256=bytes_digest(files["golden.json"])),
        **changes,
    )


def explained(client: FlaskClient, **query: Any) -> str:
    answer = client.get("/models/credit/explain", query_string={"sample": 0, **query})
    assert answer.status_code == 200, answer.text
    outline(answer.text)
    return answer.text
