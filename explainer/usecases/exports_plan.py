"""What would an export take? Method, evaluations, time and size, measured on its first rows."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from explainer.exports.chunks import Chunk, Done
from explainer.exports.cutting import cut
from explainer.exports.spec import Spec
from explainer.usecases.exports_decisions import DecisionQuery, asked_of, write_rows
from explainer.usecases.exports_local import files_of
from explainer.usecases.exports_models import Errand, Opening
from explainer.usecases.exports_spec import ExportAsk, spec_of
from explainer.usecases.recording import recorded
from explainer.usecases.rooms import Caller, Rooms

FEWEST_S = 1.0  # a sample that is quicker is tried again until this time is over


@dataclass(frozen=True, slots=True)
class Forecast:
    """All but `sample`, `rejected`, `skipped` and `preparation_s` are extrapolated to the whole input."""

    model: str
    version: str
    input_bytes: int
    rows: float
    sample: int
    rejected: int
    skipped: int
    methods: dict[str, float]
    exact_share: float
    evaluations_per_row: float
    evaluations: float
    preparation_s: float
    row_s: float
    workers: int
    rows_per_second: float
    seconds: float
    output_bytes: float


def forecast(
    rooms: Rooms, caller: Caller, ask: ExportAsk, source: Path | DecisionQuery, sample: int, runner: str
) -> Forecast:
    """Explain up to `sample` rows here and extrapolate; raises what a submission raises, and what the model raises."""
    with (
        recorded(rooms.ledger, caller, "export:plan", model=ask.model) as note,
        _input(rooms, caller, ask, source) as (what, files),
    ):
        spec, total = spec_of(rooms, caller, what, files, pooled=False)
        note["version"], note["digest"] = spec.version, spec.digest
        chunks = _sample(spec, sample)
        trusted = rooms.settings.trusted_keys
        opening = Opening(
            str(rooms.settings.registry.absolute()), None if trusted is None else str(trusted), spec.digest
        )
        errand = Errand(opening, spec)
        began = time.perf_counter()
        errand(replace(chunks[0], data=b"", records=0) if chunks[0].kind != "arrow" else chunks[0])
        preparation = time.perf_counter() - began
        done, seconds = _measured(errand, chunks)
        note["rows"] = sum(chunk.records for chunk in chunks)
        return _told(spec, total, chunks, (done, seconds, preparation), _workers(runner))


@contextmanager
def _input(
    rooms: Rooms, caller: Caller, ask: ExportAsk, source: Path | DecisionQuery
) -> Iterator[tuple[ExportAsk, list[str]]]:
    """What is asked of which files; decisions lie in a folder that is gone afterwards."""
    if not isinstance(source, DecisionQuery):
        yield ask, files_of(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        path, told = write_rows(rooms, caller, ask.model, source, Path(folder))
        yield asked_of(ask, told), [str(path)]


def _sample(spec: Spec, rows: int) -> list[Chunk]:
    """The first records, in chunks as they will be."""
    size = min(spec.chunk_rows, rows)
    chunks = list(itertools.islice(cut(spec.source, size), -(-rows // size)))
    return chunks or [Chunk(0, "", "jsonl", 1, 0, b"")]


def _measured(errand: Errand, chunks: list[Chunk]) -> tuple[list[Done], float]:
    """What came of the chunks, and the seconds that one pass over them takes."""
    began, passes = time.perf_counter(), 0
    done: list[Done] = []
    while passes == 0 or time.perf_counter() - began < FEWEST_S:
        done = [errand(chunk) for chunk in chunks]
        passes += 1
    return done, (time.perf_counter() - began) / passes


def _told(
    spec: Spec, total: int, chunks: list[Chunk], measured: tuple[list[Done], float, float], workers: int
) -> Forecast:
    done, seconds, preparation = measured
    read = max(sum(chunk.records for chunk in chunks), 1)
    explained = sum(d.explained for d in done)
    share = _share(spec, total, chunks)
    rows = read * share
    methods: Counter[str] = Counter()
    for d in done:
        methods.update(d.summary.get("methods", {}))
    evaluations = sum(d.summary.get("evaluations", 0) for d in done)
    exact = sum(d.summary.get("exact", 0) for d in done)
    return Forecast(
        model=spec.model,
        version=spec.version,
        input_bytes=sum(Path(file).stat().st_size for file in spec.source.files),
        rows=rows,
        sample=read,
        rejected=sum(d.rejected for d in done),
        skipped=sum(d.skipped for d in done),
        methods={name: count / max(explained, 1) for name, count in methods.items()},
        exact_share=exact / max(explained, 1),
        evaluations_per_row=evaluations / max(explained, 1),
        evaluations=evaluations * share,
        preparation_s=preparation,
        row_s=seconds / read,
        workers=workers,
        rows_per_second=workers * read / seconds,
        seconds=preparation + rows * seconds / read / workers,
        output_bytes=sum(len(d.data) for d in done) * share,
    )


def _share(spec: Spec, total: int, chunks: list[Chunk]) -> float:
    """How many samples the input holds: by rows in Parquet, by bytes of text (packed text counts as it unpacks)."""
    if all(chunk.kind == "arrow" for chunk in chunks):
        return total / max(sum(chunk.records for chunk in chunks), 1)
    packed = any(file.lower().endswith((".gz", ".zst")) for file in spec.source.files)
    seen = sum(len(chunk.data) for chunk in chunks)
    return max(total * (PACKED_RATIO if packed else 1) / max(seen, 1), 1.0)


PACKED_RATIO = 6  # a guess: how much larger text is than what it was packed to


def _workers(runner: str) -> int:
    name, _, rest = runner.partition(":")
    return 1 if name == "serial" else int(rest) if rest.isdecimal() else os.cpu_count() or 1
