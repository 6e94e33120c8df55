"""A background is compared with the golden rows and samples that came with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from explainer.registry.candidate import check_folder
from explainer.registry.vetting import background_findings
from tests.registry.folders import manifest, write_folder


def lines(amounts: list[float], months: int = 24) -> bytes:
    return "".join(["amount,months,purpose,phone\n", *(f"{a:.3f},{months},car,true\n" for a in amounts)]).encode()


def files(background: list[float], samples: list[float], golden: list[float]) -> dict[str, bytes]:
    rows = [{"amount": round(a, 3), "months": 24, "purpose": "car", "phone": True} for a in golden]
    content = {"rows": rows, "predictions": [[0.25, 0.75]] * len(rows)}
    found = {"background.csv": lines(background), "golden.json": json.dumps(content).encode()}
    return found | ({"samples.csv": lines(samples)} if samples else {})


def codes(folder: Path, given: dict[str, bytes]) -> list[str]:
    whole = {"model.skops": b"weights", "card.md": b"# Card", **given}
    count = given["background.csv"].count(b"\n") - 1
    spec = replace(manifest(whole).background, rows=count)
    found = background_findings(check_folder(write_folder(folder, given, background=spec), None))
    assert all("amount" in notice.detail for notice in found)
    return [notice.code for notice in found]


def amounts(count: int, seed: int) -> list[float]:
    return list(np.random.default_rng(seed).uniform(0, 500, count))


def test_samples_and_golden_rows_are_the_reference(tmp_path: Path) -> None:
    """A background of the upper half is found with 12 golden rows and 13 samples, one that was drawn alike is not."""
    upper = [250 + a / 2 for a in amounts(60, 0)]
    assert codes(tmp_path / "a", files(upper, amounts(13, 1), amounts(12, 2))) == ["background-shifted"]
    assert codes(tmp_path / "b", files(amounts(60, 0), amounts(13, 1), amounts(12, 2))) == []


def test_few_rows_say_nothing(tmp_path: Path) -> None:
    """Fewer than 20 rows to compare with are no ground for a verdict."""
    assert codes(tmp_path / "a", files([499.0] * 60, [], amounts(19, 2))) == []
