"""Parquet in and out by way of Arrow; the only file of this room that knows pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explainer.errors import InvalidOption, StorageFailed
from explainer.exports.chunks import Chunk
from explainer.exports.streams import BLOCK, Watched, unreadable

if TYPE_CHECKING:
    from explainer.exports.cutting import Cut

ROW_GROUP = 50_000


def library() -> Any:
    """pyarrow; raises InvalidOption where it is missing."""
    try:
        import pyarrow
    except ImportError:
        raise InvalidOption("Parquet needs pyarrow: pip install 'explainer[parquet]'; or use CSV or JSONL.") from None
    return pyarrow


def parquet_rows(path: Path) -> int:
    """How many rows the file says it has; raises InvalidRows when it is no whole Parquet file."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def parquet_chunks(path: Path, rows: int, known: Cut) -> Iterator[Chunk]:
    """Yield the rows in record batches of `rows`, whatever the file's row groups are."""
    pa = library()
    digest, size = _digest(path)
    before, first = known.read, 1
    try:
        with _opened(path) as file:
            names = tuple(file.schema_arrow.names)
            for batch in _even(pa, file, rows):
                known.read = before + first - 1 + batch.num_rows
                yield Chunk(0, path.name, "arrow", first, batch.num_rows, to_stream(batch), names, read=known.read)
                first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, "parquet", f"this is not a whole Parquet file: {error}") from None
    if _digest(path)[0] != digest:
        raise unreadable(path, "changed", "the file was changed while it was read.")
    known.digests[path.name], known.sizes[path.name] = digest, size


def to_stream(table: Any) -> bytes:
    """A table or record batch in Arrow's stream format."""
    pa = library()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    return bytes(sink.getvalue().to_pybytes())


def from_stream(data: bytes) -> Any:
    """The table that `to_stream` was given."""
    pa = library()
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()


def assemble(parts: Sequence[Path], target: Path, empty: Any, metadata: dict[str, str]) -> None:
    """Write one Parquet file from parts in stream format, in groups of ROW_GROUP rows, one group in memory at a time.

    `empty` is a table without rows that has the schema, for an export that explained nothing.
    """
    pa = library()
    from pyarrow import parquet

    waiting: list[Any] = []
    schema = empty.schema if not parts else from_stream(parts[0].read_bytes()).schema
    schema = schema.with_metadata({**(schema.metadata or {}), **{k.encode(): v.encode() for k, v in metadata.items()}})
    try:
        with parquet.ParquetWriter(target, schema, compression="zstd", version="2.6", store_schema=True) as writer:
            for part in parts:
                waiting.append(from_stream(part.read_bytes()).cast(schema))
                while sum(t.num_rows for t in waiting) >= ROW_GROUP:
                    whole = pa.concat_tables(waiting)
                    writer.write_table(whole.slice(0, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)
                    waiting = [whole.slice(ROW_GROUP)]
            rest = pa.concat_tables(waiting) if waiting else schema.empty_table()
            if rest.num_rows:
                writer.write_table(rest.combine_chunks(), row_group_size=ROW_GROUP)
    except (pa.ArrowException, OSError) as error:
        raise StorageFailed(f"{target.name} could not be written: {error}. Check the disk.") from error


def _even(pa: Any, file: Any, rows: int) -> Iterator[Any]:
    """Batches of exactly `rows` rows but for the last."""
    waiting: list[Any] = []
    count = 0
    for batch in file.iter_batches(batch_size=max(rows, 1000)):
        waiting.append(pa.Table.from_batches([batch]))
        count += batch.num_rows
        while count >= rows:
            table = pa.concat_tables(waiting)
            yield table.slice(0, rows).combine_chunks()
            waiting, count = [table.slice(rows)], count - rows
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


def _opened(path: Path) -> Any:
    pa = library()
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, "parquet", f"this is not a whole Parquet file: {error}") from None


def _digest(path: Path) -> tuple[str, int]:
    with Watched(path) as watched:
        while watched.read(BLOCK):
            pass
        return watched.digest.hexdigest(), watched.count


def unpacked_zstd(source: Any) -> Any:
    """What a stream of zstandard holds; its `read` raises OSError where the stream is damaged or cut."""
    pa = library()
    return pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")
