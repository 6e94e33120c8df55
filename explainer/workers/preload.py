"""What the nursery loads once for all its workers: numeric libraries and our own code, never a model library."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Final

from explainer.workers.ports import Opener

LIBRARIES: Final = (
    "numpy",
    "scipy.special",
    "scipy.stats",
    "pandas",
    "numba",
    "joblib",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "skops.io",
)
OWN: Final = ("explainer.attribution", "explainer.formats")
NEVER: Final = ("xgboost", "lightgbm", "catboost", "onnxruntime")  # a fork of a process that has loaded these hangs


def preload() -> None:
    """Import everything that workers of the house share."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in OWN:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def unfit() -> list[str]:
    """Why this process must not be forked: threads that a child would lack, libraries that hang in a child."""
    found = [f"{name} is loaded" for name in NEVER if name in sys.modules]
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else 1
    return found if threads == 1 else [*found, f"{threads} threads are running"]


def prepared(reference: str) -> Opener:
    """Return the opener that `package.module:name` stands for, with everything loaded that its workers share.

    Its module may have a function `preload` that does so. What is loaded is kept from the collector, which would
    otherwise write to it, and so copy it, in every worker; not collected before, which would find next to nothing.
    """
    name, _, function = reference.partition(":")
    module = importlib.import_module(name)
    if (load := getattr(module, "preload", None)) is not None:
        load()
    opener: Opener = getattr(module, function)
    gc.freeze()
    gc.enable()  # it rests from the nursery's first line on
    return opener
