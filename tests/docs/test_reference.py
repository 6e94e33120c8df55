"""The reference pages name everything that is there, and links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from explainer import errors
from explainer.app import create_app
from explainer.attribution.methods import found
from explainer.errors import ExplainerError
from explainer.settings import Settings
from explainer.usecases.serving import Serving
from explainer.wiring import furnish

DOCS = Path("docs")
PAGES = sorted(
    [*DOCS.rglob("*.md"), Path("README.md"), Path("SECURITY.md"), Path("CHANGELOG.md"), Path("models/README.md")]
)


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/reference/settings.md has a line for every setting, with the default that the code has."""
    text = (DOCS / "reference/settings.md").read_text()
    for f in dataclasses.fields(Settings):
        line = re.search(rf"^\| `EXPLAINER_{f.name.upper()}` \| (.*?) \|", text, re.M)
        assert line, f.name
        default = {None: "none", False: "`0`"}.get(
            f.default, f"`{f.default:g}`" if isinstance(f.default, float) else f"`{f.default}`"
        )
        assert line[1] == default, f.name


def test_every_error_is_documented_with_its_status() -> None:
    """docs/reference/errors.md has a line for every code that the service answers."""
    text = (DOCS / "reference/errors.md").read_text()
    kinds = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, ExplainerError)]
    for kind in kinds:
        if not kind.__subclasses__() and kind.code not in {"error", "refused"}:
            assert re.search(rf"^\| `{kind.code}` \| ({kind.status}|–) \|", text, re.M), kind.code


def test_every_route_is_documented_with_its_permission(tmp_path: Path) -> None:
    """docs/reference/http.md has a line for every API route, with the permission that the route states."""
    text = (DOCS / "reference/http.md").read_text()
    rooms = furnish(Settings(var=tmp_path, registry=tmp_path / "registry"))
    app = create_app(rooms, Serving(rooms.registry, rooms.workers))
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api", "/healthz", "/readyz")) and not rule.endpoint.endswith("static"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            verb = next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            permission = getattr(app.view_functions[rule.endpoint], "permission", None)
            line = f"| `{verb} {path}` | {permission.value if permission else 'none'} |"
            assert line in text, line


def test_every_method_is_documented() -> None:
    """docs/reference/methods.md has a section for every method that the scanner finds."""
    text = (DOCS / "reference/methods.md").read_text()
    for method in found():
        assert f"## {method.name}\n" in text, method.name


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files(page: Path) -> None:
    """Every relative link of a page leads to a file or folder of the repository."""
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"
