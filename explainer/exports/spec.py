"""Everything that is fixed when an export is submitted, as records and as the JSON that is kept of them."""

from __future__ import annotations

import base64
import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from explainer.errors import InvalidOption
from explainer.records import BackgroundRows, ExplainOptions

Output = Literal["jsonl", "csv", "parquet"]
Form = Literal["wide", "long"]
RULE = re.compile(r"prediction\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
DECISIONS = ("adverse", "favourable")


@dataclass(frozen=True, slots=True)
class Source:
    """The files of the input in their order, and how text files are to be read."""

    files: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Bins:
    """How the background spreads over one feature: upper edges of its intervals, or None for codes; counts of rows.

    The last count is that of missing values.
    """

    edges: tuple[float, ...] | None
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """One export as it was submitted. `values`: whether the reader sees the rows' values."""

    model: str
    version: str
    digest: str
    background: str
    source: Source
    options: ExplainOptions = field(default_factory=ExplainOptions)
    output: Output = "parquet"
    form: Form = "wide"
    carry: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    where: str | None = None
    stop_on_reject: bool = False
    chunk_rows: int = 100
    values: bool = True
    bins: tuple[Bins, ...] = ()
    decisions: dict[str, Any] | None = None  # where the rows are stored decisions: the query, and counts


def check_rule(where: str | None) -> None:
    """Raises InvalidOption for a rule on the model's output that is none."""
    if where is not None and where not in DECISIONS and not RULE.fullmatch(where):
        raise InvalidOption(
            f'where: {where[:80]!r} is no rule; write adverse, favourable, or for example "prediction >= 0.7".'
        )


def to_json(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values; rows of a background travel in base64."""
    plain = dataclasses.asdict(spec)
    background = spec.options.background
    if isinstance(background, BackgroundRows):
        plain["options"]["background"]["data"] = base64.b64encode(background.data).decode()
    return plain


def from_json(plain: dict[str, Any]) -> Spec:
    """The spec that `to_json` was given."""
    options = dict(plain["options"])
    if isinstance(options["background"], dict):
        rows = options["background"]
        options["background"] = BackgroundRows(rows["digest"], rows["features"], base64.b64decode(rows["data"]))
    source = plain["source"]
    bins = [Bins(None if b["edges"] is None else tuple(b["edges"]), tuple(b["counts"])) for b in plain["bins"]]
    changed = {
        "source": Source(tuple(source["files"]), source["delimiter"], source["encoding"]),
        "options": ExplainOptions(**options),
        "carry": tuple(plain["carry"]),
        "ignore": tuple(plain["ignore"]),
        "bins": tuple(bins),
    }
    return Spec(**{**plain, **changed})
