"""Opens an input file as a stream of UTF-8, unpacked and recoded, and watches the bytes go by."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import IO, Any, Protocol

from explainer.errors import InvalidOption, InvalidRows, NotFound, Problem

BLOCK = 1 << 20
BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ENDINGS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
PACKED = (".gz", ".zst")


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class Watched(io.RawIOBase):
    """A file as it lies on disk, with the SHA-256 and the number of the bytes read so far."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("rb")
        self.digest = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._file.readinto(buffer)
        self.digest.update(memoryview(buffer)[:size])
        self.count += size
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def kind_of(path: Path) -> str:
    """`csv`, `jsonl` or `parquet`, by the ending under that of a packed file; raises InvalidRows for another."""
    name = path.with_suffix("") if path.suffix.lower() in PACKED else path
    kind = ENDINGS.get(name.suffix.lower())
    if kind is None or (kind == "parquet" and name is not path):
        raise unreadable(path, "ending", "the name must end with .csv, .tsv, .jsonl or .parquet, text also with .gz.")
    return kind


def opened(path: Path, encoding: str) -> tuple[Watched, Readable]:
    """The file as it is, and its text as UTF-8 without a byte order mark.

    Raises NotFound, InvalidOption for an encoding that Python does not know, InvalidRows for UTF-16 or UTF-32 that was
    not asked for, or when zstandard is missing.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise InvalidOption(
            f"encoding: {encoding[:40]!r} is not known; try utf-8, utf-16, cp1252 or latin-1."
        ) from None
    watched = Watched(path)
    plain = _unpacked(path, io.BufferedReader(watched, BLOCK))
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return watched, _Utf8(path, plain)
    return watched, _Recoded(path, plain, encoding)


class _Utf8:
    """Takes a byte order mark away and refuses the marks of other encodings."""

    def __init__(self, path: Path, source: Readable) -> None:
        self._path, self._source, self._begun = path, source, False

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        if not self._begun:
            self._begun = True
            for mark, name in BOMS.items():
                if data.startswith(mark):
                    raise unreadable(self._path, "encoding", f"the file is {name.upper()}; say so (encoding {name}).")
            return data.removeprefix(codecs.BOM_UTF8) or self._source.read(size)
        return data


class _Recoded:
    """Another encoding as UTF-8; what cannot be read is an error of the whole file."""

    def __init__(self, path: Path, source: Readable, encoding: str) -> None:
        self._path, self._source, self._encoding = path, source, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        while not self._ended:
            data = self._source.read(size)
            self._ended = not data
            try:
                text = self._decoder.decode(data, final=self._ended)
            except UnicodeDecodeError as error:
                raise unreadable(self._path, "encoding", f"the text is not {self._encoding}: {error.reason}.") from None
            if text:
                return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")
        return b""


class _Packed:
    """A compressed file; damage is said of the file."""

    def __init__(self, path: Path, source: Readable, errors: tuple[type[Exception], ...]) -> None:
        self._path, self._source, self._errors = path, source, errors

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except self._errors as error:
            raise unreadable(self._path, "compressed", f"the file is not whole: {error}.") from None


def _unpacked(path: Path, source: IO[bytes]) -> Readable:
    ending = path.suffix.lower()
    if ending == ".gz":
        return _Packed(path, gzip.GzipFile(fileobj=source), (OSError, EOFError, zlib.error))
    if ending == ".zst":
        from explainer.exports.arrow import unpacked_zstd

        return _Packed(path, unpacked_zstd(source), (OSError,))
    return source


def unreadable(path: Path, rule: str, detail: str) -> InvalidRows:
    return InvalidRows(f"{path.name}: {detail}", problems=[Problem(path.name, rule, detail)])
