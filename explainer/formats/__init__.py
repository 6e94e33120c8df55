"""One file per model format: open it, say what it is, hand trees and linear models over as one internal record."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from explainer.attribution.model import OpenedModel
from explainer.errors import ModelRefused, Problem
from explainer.formats.checked import checked
from explainer.formats.golden import compare_golden
from explainer.formats.ports import Format
from explainer.formats.structure.replica import proof_of, replicated
from explainer.records import LoadOrder

_FAILURES = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, RuntimeError, MemoryError,
    ImportError,
)  # fmt: skip
"""What a library raises that was handed a model of another version, or a damaged one."""

__all__ = ["Format", "compare_golden", "formats", "open_model"]


@cache
def formats() -> MappingProxyType[str, Format]:
    """Every format by the name that manifests give it; found by scanning this folder for `FORMAT`."""
    found: dict[str, Format] = {}
    for info in pkgutil.iter_modules(__path__):
        one = getattr(importlib.import_module(f"{__name__}.{info.name}"), "FORMAT", None)
        if one is not None:
            found[one.name] = one
    return MappingProxyType(dict(sorted(found.items())))


def open_model(order: LoadOrder) -> OpenedModel:
    """Open the model of `order` after its file was inspected; every call of it is checked from then on.

    Formats whose files can run code demand `order.signed_by`: the allowed key that signed the manifest, which the
    registry verified. Golden predictions are compared by `compare_golden`, not here.
    Raises ModelRefused with every reason found, before native code has seen the file wherever that is possible.
    """
    manifest = order.manifest
    one = formats().get(manifest.format)
    if one is None:
        known = ", ".join(formats())
        raise ModelRefused(f"'{manifest.format}' is not a model format; the manifest may name one of: {known}.")
    if one.needs_signature and order.signed_by is None:
        rule = f"A model of format '{one.name}' can run code when it is opened"
        raise ModelRefused(
            f"{rule}; it is opened only when its manifest carries the signature of an allowed key. "
            "Sign the manifest, or save the model in a format that holds data only, such as 'sklearn-skops'.",
            problems=(Problem("model.format", "signature", f"{rule} and the manifest is not signed."),),
        )
    problems = one.inspect(order.model_path, manifest)
    if problems:
        told = "; ".join(f"{p.where}: {p.detail}" for p in problems[:3])
        raise ModelRefused(f"The model file of '{manifest.name}' was not opened: {told}", problems=problems)
    try:
        opened = replicated(one.open(order), proof_of(order))
        return checked(opened, order)
    except _FAILURES as error:
        raise ModelRefused(
            f"The model of '{manifest.name}' opens but cannot predict its background: {type(error).__name__}: {error}. "
            f"It was made with {manifest.golden.library or 'another library'} {manifest.golden.version}."
        ) from error
