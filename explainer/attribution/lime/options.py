"""What may be set about LIME; the defaults are those of the `lime` library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Discretizer = Literal["quartile", "decile", "entropy"]
PERCENTILES = {"quartile": (25, 50, 75), "decile": (10, 20, 30, 40, 50, 60, 70, 80, 90)}


@dataclass(frozen=True, slots=True)
class LimeOptions:
    """How neighbours are drawn, weighed and counted.

    `discretizer` None leaves numbers as they are: they are drawn from a normal distribution around the background's
    mean, or around the row itself with `around_row`. `entropy` is left to the library. `samples` rows are drawn to
    begin with, and `most_samples` at most where the leading features are not stable.

    `point_cells` says what is drawn in a cell that holds a single value: that value, or, with "library", what the
    library draws there (zero, or the value less about 1e-11; see `partition`).
    """

    discretizer: Discretizer | None = "quartile"
    around_row: bool = False
    kernel_width: float | None = None
    samples: int = 5_000
    most_samples: int = 20_000
    alpha: float = 1.0
    point_cells: Literal["value", "library"] = "value"

    def width(self, features: int) -> float:
        """Width of the exponential kernel over Euclidean distance; by default 0.75 times the root of `features`."""
        return math.sqrt(features) * 0.75 if self.kernel_width is None else float(self.kernel_width)
