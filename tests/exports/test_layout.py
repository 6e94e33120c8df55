"""The columns of the output, wide and long, in each format."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explainer.attribution.batch import Batch
from explainer.errors import InvalidOption
from explainer.exports.layout import check_carried
from explainer.exports.spec import check_rule
from explainer.records import ExplainOptions, FloatArray, Stopped
from tests.exports.jobs import Bench, bench
from tests.exports.models import Additive

ROWS = 'id,amount,months,purpose\n7,1000,12,car\n"=x",2000.5,24,"a ""thing"""\n,400,36,Möbel\n'


def exported(path: Path, **changes: Any) -> Bench:
    source = path / "rows.csv"
    source.write_text(ROWS, encoding="utf-8")
    found = bench(path / "out", source, **changes)
    found.compute()
    return found


def csv_rows(of: Bench) -> list[dict[str, str]]:
    return list(csv.DictReader(of.bytes()["explanations.csv"].decode().splitlines()))


def parquet_table(of: Bench) -> Any:
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(of.folder.path / "explanations.parquet")


def test_wide_csv(tmp_path: Path) -> None:
    """One line for each row: what is carried, the prediction, then value, attribution, error of every feature."""
    rows = csv_rows(exported(tmp_path, output="csv"))
    assert [r["id"] for r in rows] == ["7", "=x", ""]
    assert [r["value.purpose"] for r in rows] == ["car", 'a "thing"', "Möbel"]
    assert [float(r["attribution.amount"]) for r in rows] == [0.3, 0.3 * 2000.5 / 1000, 0.3 * 400 / 1000]
    assert [r["decision"] for r in rows] == ["declined", "declined", "granted"]
    for row in rows:
        parts = [float(row[f"attribution.{name}"]) for name in ("amount", "months", "purpose")]
        assert float(row["expected_value"]) + sum(parts) == pytest.approx(float(row["prediction"]), abs=1e-12)
    assert (rows[0]["method.exact"], rows[0]["method.seed"], rows[0]["warnings"]) == ("true", "", "")


def test_wide_jsonl_has_the_form_of_the_api(tmp_path: Path) -> None:
    """An object for each row with `attributions` in schema order and `method`, as the API answers."""
    items = [json.loads(line) for line in exported(tmp_path).bytes()["explanations.jsonl"].splitlines()]
    assert items[1]["carry"] == {"id": "=x"}
    assert items[1]["attributions"][2] == {
        "feature": "purpose", "value": 'a "thing"', "attribution": 0.1, "standard_error": 0.0,
    }  # fmt: skip
    assert items[0]["method"] == {
        "name": "exact", "exact": True, "evaluations": 8, "stopped": None, "seed": None, "additivity_gap": 0.0,
    }  # fmt: skip
    assert (items[0]["class"], items[0]["output"], items[0]["warnings"]) == ("bad", "probability", [])


def test_parquet_has_arrow_types_and_says_what_it_is(tmp_path: Path) -> None:
    """Numbers are float64, whole numbers int64, categories dictionaries of text; the model's digest is in the file."""
    found = exported(tmp_path, output="parquet")
    table = parquet_table(found)
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds["attribution.amount"] == kinds["prediction"] == kinds["value.amount"] == "double"
    assert kinds["value.months"] == kinds["line"] == "int64"
    assert kinds["method.exact"] == "bool"
    assert kinds["value.purpose"].startswith("dictionary<values=string")
    assert table.schema.metadata[b"explainer.digest"] == b"d" * 64
    assert table.column("value.purpose").to_pylist() == ["car", 'a "thing"', "Möbel"]


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet"])
def test_long(tmp_path: Path, output: str) -> None:
    """One line for each row and feature, ranked by the size of the attribution; the same numbers in each format."""
    found = exported(tmp_path, output=output, form="long")
    if output == "csv":
        rows: list[dict[str, Any]] = csv_rows(found)  # type: ignore[assignment]
    elif output == "jsonl":
        rows = [json.loads(line) for line in found.bytes()["explanations.jsonl"].splitlines()]
    else:
        rows = parquet_table(found).to_pylist()
    assert [r["feature"] for r in rows] == ["amount", "months", "purpose"] * 3
    assert [int(r["rank"]) for r in rows] == [1, 2, 3, 1, 3, 2, 2, 3, 1]
    assert [r["value"] for r in rows[:3]] == ["1000.0", "12", "car"]
    assert [float(r["attribution"]) for r in rows[:3]] == [0.3, 0.0, 0.0]


def test_top_leaves_the_rest_as_one_sum(tmp_path: Path) -> None:
    """With `top` the other attributions are not told one by one, and everything still adds up."""
    found = exported(tmp_path, output="csv", options=ExplainOptions(top=1))
    for row in csv_rows(found):
        shown = [float(row[n]) for n in row if n.startswith("attribution.") and row[n]]
        assert len(shown) == 1
        whole = float(row["expected_value"]) + shown[0] + float(row["other.attribution"])
        assert whole == pytest.approx(float(row["prediction"]), abs=1e-12)


def test_values_can_be_withheld(tmp_path: Path) -> None:
    """For a reader who may not see the rows, no value is in the output."""
    for output, form in (("csv", "wide"), ("csv", "long"), ("jsonl", "wide")):
        (path := tmp_path / f"{output}-{form}").mkdir()
        data = exported(path, output=output, form=form, values=False).bytes()[f"explanations.{output}"].decode()
        assert "Möbel" not in data
        assert "2000.5" not in data


def test_carried_columns_keep_their_type_in_parquet(tmp_path: Path) -> None:
    """From Parquet to Parquet a carried column stays what it was; elsewhere it is text."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    source = tmp_path / "rows.parquet"
    stamps = pa.array([0, 86_400], pa.timestamp("s"))
    parquet.write_table(
        pa.table({"id": stamps, "amount": [1.0, 2.0], "months": [1, 2], "purpose": ["car", "car"]}), source
    )
    kept = bench(tmp_path / "parquet", source, output="parquet")
    kept.compute()
    assert parquet_table(kept).column("id").cast(stamps.type).to_pylist() == stamps.to_pylist()
    text = bench(tmp_path / "csv", source, output="csv")
    text.compute()
    assert csv_rows(text)[1]["id"].strip('"').startswith("1970-01-02")


def test_names_that_are_taken() -> None:
    """A carried column with the name of one of ours is refused; so is a rule that is none."""
    check_carried(["customer", "branch"])
    for name in ("prediction", "line", "value.amount"):
        with pytest.raises(InvalidOption, match="column"):
            check_carried([name])
    for rule in ("adverse", "prediction >= 0.5", "prediction<-1e-3", None):
        check_rule(rule)
    for rule in ("", "prediction == 1", "amount > 3", "prediction >= x", "__import__('os')"):
        with pytest.raises(InvalidOption, match="no rule"):
            check_rule(rule)


class Sampled(Additive):
    """As the additive model, but the first row of each call met its tolerance and the last one its budget."""

    def explain(self, rows: FloatArray) -> Batch:
        found = super().explain(rows)
        rules: list[Stopped | None] = [None] * len(found)
        rules[0], rules[-1] = "tolerance", "evaluations"
        return replace(found, stopped=tuple(rules))


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet"])
def test_what_ended_the_sampling_is_told(tmp_path: Path, output: str) -> None:
    """`method.stopped` names the rule of each row, and nothing where nothing was sampled."""
    source = tmp_path / "rows.csv"
    source.write_text(ROWS, encoding="utf-8")
    of = bench(tmp_path / "out", source, output=output)
    of.model = Sampled()
    of.compute()
    if output == "csv":
        found: list[Any] = [row["method.stopped"] or None for row in csv_rows(of)]
    elif output == "jsonl":
        found = [json.loads(line)["method"]["stopped"] for line in of.bytes()["explanations.jsonl"].splitlines()]
    else:
        found = parquet_table(of).column("method.stopped").to_pylist()
    assert found == ["tolerance", None, "evaluations"]
