"""The form that every model format has."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

from explainer.attribution.model import OpenedModel
from explainer.errors import Problem
from explainer.records import LoadOrder, Manifest


class Format(Protocol):
    """One format. Files in `formats/` end with `FORMAT = ...` of this form and are found by scanning.

    Importing such a file imports no model library: `inspect` and `open` do that themselves.
    """

    name: ClassVar[str]  # what `[model] format` says in a manifest
    summary: ClassVar[str]  # one sentence for people
    needs_signature: ClassVar[bool]  # opening the file may run code in it, so the manifest must be signed
    remote: ClassVar[bool]  # there is no model file: `[remote]` says where the model answers

    def inspect(self, path: Path, manifest: Manifest) -> list[Problem]:
        """Everything wrong with the file that can be seen without running native code or constructing anything."""
        ...

    def open(self, order: LoadOrder) -> OpenedModel:
        """The model of a file that `inspect` found nothing wrong with.

        Raises ModelRefused when the library refuses the file or the model does not fit its manifest.
        """
        ...
