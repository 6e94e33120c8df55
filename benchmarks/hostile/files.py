"""One good model of every format that is read from a file, and hostile files made from it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import onnx

from explainer.records import Feature, FloatArray
from tests.formats import graphs, hostile, orders

ROWS = 40  # of the background that each file is tried with
BOMB_MB = 200


@dataclass(frozen=True)
class Kind:
    """A format with how one of its files is made; rows are coded, of shape (rows, features)."""

    name: str
    form: str
    features: tuple[Feature, ...]
    rows: Callable[[int], FloatArray]
    make: Callable[[Path], None]


@dataclass(frozen=True)
class Marker:
    """Leaves a file behind when it is unpickled: the proof that code of a file was run."""

    path: str

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path(self.path),))


def _complete(count: int) -> FloatArray:
    return np.nan_to_num(orders.number_rows(count))


def _xgboost(path: Path, form: str) -> None:
    import xgboost

    rows = orders.mixed_rows(200)
    label = (orders.labels(rows) == "bad").astype(int)
    types = ["q", "int", "c", "i", "q"]
    data = xgboost.DMatrix(rows, label=label, feature_types=types, enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1}, data, 6)
    path.write_bytes(bytes(booster.save_raw(form)))


def _lightgbm(path: Path) -> None:
    import lightgbm

    rows = orders.mixed_rows(200)
    label = (orders.labels(rows) == "bad").astype(int)
    small = lightgbm.LGBMClassifier(n_estimators=6, num_leaves=7, verbose=-1, min_child_samples=5, n_jobs=1)
    small.fit(rows, label, categorical_feature=[2]).booster_.save_model(str(path))


def _catboost(path: Path, form: str) -> None:
    import catboost

    rows = orders.number_rows(200)
    small = catboost.CatBoostClassifier(iterations=6, depth=3, verbose=0, allow_writing_files=False, thread_count=1)
    small.fit(rows, orders.labels(rows)).save_model(str(path), format=form)


def _forest(path: Path) -> None:
    import skops.io
    from sklearn.ensemble import RandomForestClassifier

    rows = _complete(200)
    skops.io.dump(RandomForestClassifier(3, max_depth=4, random_state=0).fit(rows, orders.labels(rows)), path)


def _network(path: Path) -> None:
    import skops.io
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = _complete(200)
    small = make_pipeline(StandardScaler(), MLPClassifier((6,), tol=0.05, random_state=0))
    skops.io.dump(small.fit(rows, orders.labels(rows)), path)


def _joblib(path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    rows = _complete(200)
    joblib.dump(LogisticRegression().fit(rows, orders.labels(rows)), path)


KINDS = (
    Kind("xgboost-json", "xgboost", orders.FEATURES, orders.mixed_rows, lambda p: _xgboost(p, "json")),
    Kind("xgboost-ubj", "xgboost", orders.FEATURES, orders.mixed_rows, lambda p: _xgboost(p, "ubj")),
    Kind("lightgbm", "lightgbm", orders.FEATURES, orders.mixed_rows, _lightgbm),
    Kind("catboost-json", "catboost", orders.NUMBERS, orders.number_rows, lambda p: _catboost(p, "json")),
    Kind("catboost-cbm", "catboost", orders.NUMBERS, orders.number_rows, lambda p: _catboost(p, "cbm")),
    Kind("onnx", "onnx", orders.COMPLETE, _complete, lambda p: onnx.save(graphs.network(), str(p))),
    Kind("skops-forest", "sklearn-skops", orders.COMPLETE, _complete, _forest),
    Kind("skops-network", "sklearn-skops", orders.COMPLETE, _complete, _network),
    Kind("joblib", "sklearn-joblib", orders.COMPLETE, _complete, _joblib),
)


def hostile_files(kind: Kind, good: bytes, count: int, marker: Path) -> Iterator[tuple[str, bytes]]:
    """What each file is, and its bytes: `count` mutants of `good`, then bombs and pickles in disguise.

    Of an archive, half the mutants have right checksums and a changed entry.
    """
    packed = zipfile.is_zipfile(io.BytesIO(good))
    plain = count // 2 if packed else count
    yield from (("mutant", data) for data in hostile.mutants(good, plain, seed=7))
    if packed:
        yield from (("changed entry", data) for data in _repacked(good, count - plain))
    yield from (("bomb", data) for data in _bombs(good if packed else None))
    yield from (("pickle", data) for data in _pickles(good if packed else None, good, marker))


def _entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        return {entry.filename: old.read(entry) for entry in old.infolist()}


def _zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression=method) as new:
        for name, content in entries.items():
            new.writestr(name, content)
    return file.getvalue()


def _repacked(data: bytes, count: int) -> Iterator[bytes]:
    random, entries = np.random.default_rng(7), _entries(data)
    names = sorted(entries)
    for _ in range(count):
        name = names[int(random.integers(len(names)))]
        changed = hostile.mutants(entries[name], 1, int(random.integers(1 << 30)))[0] if entries[name] else b"x"
        yield _zipped({**entries, name: changed})


def _bombs(archive: bytes | None) -> Iterator[bytes]:
    """Little that becomes much: zeros in an archive, an array that promises terabytes, brackets without end."""
    zeros = {"schema.json": b"{}", "1.npy": bytes(BOMB_MB << 20)}
    yield _zipped(zeros, zipfile.ZIP_DEFLATED)
    yield _zipped({"schema.json": b"[" * 3_000_000}, zipfile.ZIP_DEFLATED)
    yield b"[" * 1_000_000
    yield b'{"a":' * 300_000
    yield b"{L" + (1 << 62).to_bytes(8, "big") + b"x"  # UBJSON: a key of 4 exabytes
    if archive is not None:
        entries = _entries(archive)
        array = io.BytesIO()
        np.lib.format.write_array_header_1_0(array, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)})
        name = next(name for name in entries if name.endswith(".npy"))
        yield _zipped({**entries, name: array.getvalue()})
        yield _zipped({**entries, name: bytes(BOMB_MB << 20)}, zipfile.ZIP_DEFLATED)


def _pickles(archive: bytes | None, good: bytes, marker: Path) -> Iterator[bytes]:
    """A pickle that would leave `marker` behind: bare, behind a format's first bytes, inside an archive."""
    evil = Marker(str(marker))
    plain = [pickle.dumps(evil, protocol) for protocol in (0, 2, 5)]
    written = io.BytesIO()
    joblib.dump(evil, written)
    yield from (*plain, written.getvalue(), good[:8] + plain[2], b"\x80\x05" + good, good + plain[2])
    objects = io.BytesIO()
    np.save(objects, np.array([evil], dtype=object), allow_pickle=True)
    yield objects.getvalue()
    for name in ("schema.json", "data.pkl", "archive/data.pkl", "1.npy"):
        yield _zipped({**(_entries(archive) if archive else {}), name: plain[2]})
    if archive is not None:
        entries = _entries(archive)
        name = next(name for name in entries if name.endswith(".npy"))
        yield _zipped({**entries, name: objects.getvalue()})
        for old, new in ((b'"sklearn.', b'"os.'), (b'"ObjectNode"', b'"OperatorFuncNode"'), (b'"numpy"', b'"posix"')):
            yield _zipped({**entries, "schema.json": entries["schema.json"].replace(old, new)})
