"""A version is fetched from a web server, checked by its digest, and kept once."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from explainer.errors import InvalidOption, ModelRefused, StorageFailed
from explainer.records import ModelVersion
from explainer.registry.fetching import check_address, fetched
from explainer.registry.store import Registry
from explainer.settings import Settings
from tests.exports.conftest import registered

__all__ = ["registered"]


class Shown(SimpleHTTPRequestHandler):
    """The registry's folder, as any web server would show it; `asked` are the paths that were asked for.

    Of the first `away` requests each is answered 503.
    """

    asked: list[str]
    away: list[int]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.away:
            self.send_error(self.away.pop())
            return
        super().do_GET()

    def log_message(self, *given: object) -> None:
        return


class Server:
    """A copy of a registry that may be changed, behind an address."""

    def __init__(self, registry: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(registry, folder)
        self.asked: list[str] = []
        self.away: list[int] = []
        kind = type("Here", (Shown,), {"asked": self.asked, "away": self.away})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(folder)))
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(registered: tuple[Settings, ModelVersion], tmp_path: Path) -> Iterator[Server]:
    started = Server(registered[0].registry, tmp_path / "shown")
    yield started
    started.close()


PLACE = ("credit", "1.0")


def test_what_is_fetched_is_a_registry_of_one_version(
    server: Server, registered: tuple[Settings, ModelVersion], tmp_path: Path
) -> None:
    """The folder opens as any registry does, with the digest that was asked for; a second time nothing is asked."""
    digest = registered[1].digest
    folder = fetched(f"{server.address}/", PLACE, digest, tmp_path / "cache")
    (version,) = Registry(Settings(registry=folder)).versions()
    assert version.digest == digest
    assert Registry(Settings(registry=folder)).order(version).digest == digest
    before = len(server.asked)
    assert fetched(server.address, PLACE, digest, tmp_path / "cache") == folder
    assert len(server.asked) == before
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [digest]


def test_many_at_once_leave_one_whole_copy(
    server: Server, registered: tuple[Settings, ModelVersion], tmp_path: Path
) -> None:
    """Eight that start together all get the same folder, and nothing half-made is left beside it."""
    found: list[Path] = []
    get = functools.partial(fetched, server.address, PLACE, registered[1].digest, tmp_path / "cache")
    threads = [threading.Thread(target=lambda: found.append(get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [tmp_path / "cache" / registered[1].digest] * 8
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("name", ["model.skops", "background.csv", "golden.json", "manifest.toml", "registration.json"])
def test_a_file_that_was_changed_is_refused(
    server: Server, registered: tuple[Settings, ModelVersion], tmp_path: Path, name: str
) -> None:
    """Whatever the server gives instead of a registered file, the model is refused and nothing of it is kept."""
    path = server.folder / "credit" / "1.0" / name
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(ModelRefused):
        fetched(server.address, PLACE, registered[1].digest, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_another_version_is_refused(server: Server, tmp_path: Path) -> None:
    """A whole and sound version of another digest is not what was asked for."""
    with pytest.raises(ModelRefused, match="digest"):
        fetched(server.address, PLACE, "0" * 64, tmp_path / "cache")


def test_names_that_lead_elsewhere_are_refused(
    server: Server, registered: tuple[Settings, ModelVersion], tmp_path: Path
) -> None:
    """A registration whose files have names with a path in them changes the digest, and is refused for it."""
    path = server.folder / "credit" / "1.0" / "registration.json"
    path.write_bytes(path.read_bytes().replace(b'"card.md"', b'"../card.md"'))
    with pytest.raises(ModelRefused):
        fetched(server.address, PLACE, registered[1].digest, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/**/card.md"))


def test_a_server_that_is_away_for_a_moment_is_asked_again(
    server: Server, registered: tuple[Settings, ModelVersion], tmp_path: Path
) -> None:
    """503 once is nothing; three times in a row, or 404 at once, are told with the address."""
    server.away[:] = [503]
    assert fetched(server.address, PLACE, registered[1].digest, tmp_path / "cache").is_dir()
    server.away[:] = [503] * 3
    with pytest.raises(StorageFailed, match=r"registration\.json could not be fetched: it answered 503"):
        fetched(server.address, PLACE, "1" * 64, tmp_path / "cache")
    with pytest.raises(StorageFailed, match="404"):
        fetched(server.address, ("credit", "2.0"), "1" * 64, tmp_path / "cache")


@pytest.mark.parametrize("address", ["file:///etc", "registry", "https://", "https://host/x?sig=1", "ftp://host/x"])
def test_what_is_no_address(address: str) -> None:
    """Only http and https, with a host and without a query."""
    with pytest.raises(InvalidOption, match="models"):
        check_address(address)
