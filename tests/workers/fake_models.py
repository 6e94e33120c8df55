"""Models that misbehave on purpose, for workers to survive; the first number of a row says what to do."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explainer.attribution.ports import Stop
from explainer.errors import Cancelled, InvalidOption, ModelRefused, Problem
from explainer.records import ExplainOptions, Explanation, FloatArray, Interactions, LoadOrder, MethodReport, OpenReport

GOOD, RAISE, NAN, SHAPE, EXIT, HANG, CRASH, MEMORY, PRINT = range(9)
LINGER, TWIN, CLOSE, GARBAGE, SLOW, PID, ABORT, SYSEXIT, PROBE, LIBRARIES, CONNECT, PATIENT = range(9, 21)
SCRATCH = Path("/tmp/worker-probe")
REPORT = OpenReport("fake", "1", 1, "none", {"fake": 1, "lime": 1})


def socket_of_worker() -> int:
    """The descriptor of the only socket that a worker has."""
    for place in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(place.readlink()).startswith("socket:"):
                return int(place.name)
    raise AssertionError("no socket")


def hang(_: FloatArray) -> None:
    while True:
        time.sleep(60)


def wait_or_stop(seconds: float, stop: Stop | None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if stop is not None and stop():
            raise Cancelled("Whoever asked has gone.")
        time.sleep(0.01)


def raises(rows: FloatArray) -> None:
    raise ValueError(f"cannot make sense of {rows[0, 1]}, nor of 'blue' in 2 columns")


def crash(_: FloatArray) -> None:
    ctypes.string_at(0)


def eat(_: FloatArray) -> None:
    held = []
    while True:
        held.append(np.empty(2**24))


def shout(_: FloatArray) -> None:
    line = b"x" * 2**20
    for _ in range(50):
        os.write(1, line)


def linger(rows: FloatArray) -> None:
    """Leave a child of the same group and a detached one behind; their numbers go to the file of the order."""
    for detached in (False, True):
        pid = os.fork()
        if pid == 0:
            if detached:
                os.setsid()
            time.sleep(600)
            os._exit(0)
        with ORDER[0].model_path.open("a") as file:
            file.write(f"{pid}\n")


def twin(rows: FloatArray) -> None:
    """Both processes go on and answer."""
    os.fork()


def close(_: FloatArray) -> None:
    os.close(socket_of_worker())


def garbage(_: FloatArray) -> None:
    os.write(socket_of_worker(), b"HTTP/1.1 200 OK\r\n\r\n" * 10)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def execute() -> None:
    """Succeed where a program could be started: there is none of that name, and only who may look finds out."""
    with contextlib.suppress(FileNotFoundError):
        os.execv("/nonexistent/program", ["program"])


def probe(_: FloatArray) -> None:
    """Try what a worker must not do; raises with the names of everything that worked."""
    ORDER[0].model_path.read_bytes()
    threading.Thread(target=lambda: None).start()
    np.frombuffer(os.urandom(8))
    beside = ORDER[0].model_path.with_name("written")
    attempts = {
        "write": lambda: beside.write_bytes(b"x"),
        "overwrite": lambda: ORDER[0].model_path.write_bytes(b"x"),
        "write to /tmp": lambda: (SCRATCH.write_bytes(b"x"), SCRATCH.unlink()),
        "read beside": lambda: ORDER[0].model_path.with_name("secret").read_bytes(),
        "list beside": lambda: list(ORDER[0].model_path.parent.iterdir()),
        "read /etc/passwd": lambda: Path("/etc/passwd").read_bytes(),
        "remove": ORDER[0].model_path.unlink,
        "fork": fork,
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "exec": execute,
        "internet socket": socket.socket,
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "kill everything": lambda: os.kill(-1, 0),
        "new session": os.setsid,
    }
    worked = []
    for name, attempt in attempts.items():
        with contextlib.suppress(OSError, ValueError):
            attempt()
            worked.append(name)
    if worked:
        raise RuntimeError(", ".join(worked))


def use_libraries(_: FloatArray) -> None:
    """Train and use models of every library whose threads are known to hang after a careless fork."""
    import lightgbm
    import onnxruntime
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier

    X = np.random.default_rng(0).normal(size=(2000, 5))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    HistGradientBoostingClassifier(max_iter=5).fit(X, y).predict_proba(X)
    booster = xgboost.train({"nthread": 4, "objective": "binary:logistic"}, xgboost.DMatrix(X, y), 5)
    booster.predict(xgboost.DMatrix(X))
    lightgbm.train({"num_threads": 4, "verbose": -1, "objective": "binary"}, lightgbm.Dataset(X, y), 5).predict(X)
    onnxruntime.SessionOptions()


ORDER: list[LoadOrder] = []
DEEDS = {
    RAISE: raises,
    EXIT: lambda _: os._exit(3),
    HANG: hang,
    CRASH: crash,
    MEMORY: eat,
    PRINT: shout,
    LINGER: linger,
    TWIN: twin,
    CLOSE: close,
    GARBAGE: garbage,
    SLOW: lambda rows: time.sleep(rows[0, 1]),
    ABORT: lambda _: os.abort(),
    SYSEXIT: lambda _: sys.exit("enough"),
    PROBE: probe,
    LIBRARIES: use_libraries,
    CONNECT: lambda rows: socket.create_connection(("localhost", int(rows[0, 1])), timeout=5).close(),
}


@dataclass
class Fake:
    report: OpenReport = REPORT

    def predict(self, rows: FloatArray) -> FloatArray:
        deed = int(rows[0, 0])
        if deed in DEEDS:
            DEEDS[deed](rows)
        if deed == NAN or (ORDER and ORDER[0].manifest.name == "nan"):
            return np.full((len(rows), 1), np.nan)
        if deed == SHAPE:
            return np.zeros((len(rows) + 1, 1))
        if deed == PID:
            return np.full((len(rows), 1), float(os.getpid()))
        return rows[:, 1:2] * 2

    def explain(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Explanation, ...]]:
        if options.method == "nonsense":
            raise InvalidOption("nonsense is not a method", problems=[Problem("method", "known", "nonsense")])
        if rows[0, 0] == PATIENT:
            wait_or_stop(rows[0, 1], stop)
        predictions = self.predict(rows)
        return [(explanation(row, p[0], options),) for row, p in zip(rows, predictions, strict=True)]

    def interact(
        self, rows: FloatArray, options: ExplainOptions, stop: Stop | None = None
    ) -> list[tuple[Interactions, ...]]:
        predictions = self.predict(rows)
        return [(interactions(row, p[0], options),) for row, p in zip(rows, predictions, strict=True)]


def interactions(row: FloatArray, prediction: float, options: ExplainOptions) -> Interactions:
    """Features interact by the products of their values."""
    report = MethodReport("fake", 1, f"process {os.getpid()}", False, 1, options.seed, "default", None)
    values = np.outer(row, row)
    return Interactions(float(prediction), 0.5, None, "raw", values, np.abs(values), report)


def explanation(row: FloatArray, prediction: float, options: ExplainOptions) -> Explanation:
    report = MethodReport("fake", 1, f"process {os.getpid()}", False, 1, options.seed, "default", None)
    return Explanation(
        float(prediction), 0.5, None, "raw", tuple(row.tolist()), (0.0,) * (len(row) - 1) + (None,), report
    )


def open_fake(order: LoadOrder) -> Fake:
    """Open by the manifest's name: `refused`, `raises`, `dies`, `hangs`, `nan`, `flaky` (by its file)."""
    ORDER[:] = [order]
    match order.manifest.name:
        case "refused":
            raise ModelRefused("two things are wrong", problems=[Problem("a", "b", "c"), Problem("d", "e", "f")])
        case "raises":
            raises(order.background)
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            hang(order.background)
        case "flaky" if order.model_path.read_bytes() == b"broken":
            os._exit(9)
    return Fake()
