"""Brings one registered version from a web server that shows a registry: what arrives is believed by its digest."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit

from explainer.errors import InvalidOption, ModelRefused, Problem, StorageFailed
from explainer.registry.candidate import MOST_MODEL_BYTES
from explainer.registry.manifest import MOST_BYTES
from explainer.registry.registration import FILE, changed, read_registration, read_version
from explainer.registry.signature import MANIFEST, SIGNATURE

MOST_RECORD_BYTES = 10_000_000
PIECE = 1 << 20
TRIES = 3
WAIT_S, PATIENCE_S = 0.5, 30.0


def check_address(address: str) -> str:
    """The address of a registry without a slash at its end; raises InvalidOption for one that is none."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidOption(
            f"models: {address[:80]!r} is no address of a registry; write https://host/folder, without a query."
        )
    return address.rstrip("/")


def fetched(address: str, place: tuple[str, str], digest: str, cache: Path) -> Path:
    """A registry folder below `cache` that holds the version at `place` (name, version) and nothing else.

    It is fetched once on each machine; whoever comes at the same time fetches as well, and the first to end is taken.
    Raises ModelRefused when it is not the version of that digest, StorageFailed when it cannot be had or kept.
    """
    target = cache / digest
    if target.is_dir():
        return target
    part = cache / f".{digest}.{secrets.token_hex(4)}"
    try:
        folder = part.joinpath(*place)
        folder.mkdir(parents=True, mode=0o700)
        _fill(folder, f"{check_address(address)}/{quote(place[0])}/{quote(place[1])}", digest)
        try:
            part.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was first
                raise
    except OSError as error:
        raise StorageFailed(f"The model could not be kept in {cache}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _fill(folder: Path, base: str, digest: str) -> None:
    """First what names the files, checked against the digest; then each file, checked while it comes."""
    _download(f"{base}/{FILE}", folder / FILE, MOST_RECORD_BYTES)
    _download(f"{base}/{MANIFEST}", folder / MANIFEST, MOST_BYTES)
    version, registration = read_version(folder)
    if version.digest != digest:
        raise changed(folder, FILE, f"at {base} it has the digest {version.digest}, not {digest}")
    if registration.signed_by is not None:
        _download(f"{base}/{SIGNATURE}", folder / SIGNATURE, MOST_BYTES)
    for name, due in read_registration(folder).files.items():
        if Path(name).name != name or name.startswith("."):
            raise changed(folder, FILE, f"{name[:60]!r} is no name of a file")
        if _download(f"{base}/{quote(name)}", folder / name, MOST_MODEL_BYTES) != due:
            raise changed(folder, name, f"what {base} gave has another checksum")


def _download(url: str, path: Path, most: int, tries: int = TRIES) -> str:
    """Write what the server answers to `path`; return its SHA-256. One that is away for a moment is asked again."""
    try:
        with _opened(url) as answer, path.open("wb") as file:
            return _copied(answer, file, url, most)
    except HTTPError as error:
        if error.code < 500 or tries == 1:
            raise _absent(url, f"it answered {error.code}") from None
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        if tries == 1:
            raise _absent(url, str(getattr(error, "reason", error))) from None
    time.sleep(WAIT_S)
    return _download(url, path, most, tries - 1)


@contextmanager
def _opened(url: str) -> Iterator[IO[bytes]]:
    from urllib.request import HTTPRedirectHandler, build_opener

    class Nowhere(HTTPRedirectHandler):
        """The address is the operator's; where another sends us is not."""

        def redirect_request(self, *given: object) -> None:
            return None

    with build_opener(Nowhere).open(url, timeout=PATIENCE_S) as answer:
        yield answer


def _copied(answer: IO[bytes], file: IO[bytes], url: str, most: int) -> str:
    digest, size = hashlib.sha256(), 0
    while piece := answer.read(PIECE):
        size += len(piece)
        if size > most:
            raise ModelRefused(f"{url} has more than {most} bytes.", problems=[Problem("model.file", "size", url)])
        digest.update(piece)
        file.write(piece)
    return digest.hexdigest()


def _absent(url: str, why: str) -> StorageFailed:
    return StorageFailed(f"{url} could not be fetched: {why}. The workers need this address: try it from one of them.")
