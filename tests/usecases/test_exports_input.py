"""What an export makes of files as they are: the right rows, the right rejects, or a clear refusal."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from explainer.errors import ExplainerError
from explainer.exports.cutting import Cut, cut
from explainer.exports.spec import Source, Spec
from explainer.usecases.exports_rows import Reader
from explainer.usecases.exports_step import Step
from tests.exports.models import FEATURES, Additive

GOOD = "id,amount,months,purpose\n1,10,12,car\n2,20.5,24,car\n"


@dataclass(frozen=True)
class Case:
    """Bytes of a file; what is expected: lines explained, (line, field, rule) rejected; or words of a refusal."""

    name: str
    data: bytes
    lines: tuple[int, ...] = ()
    rejects: tuple[tuple[int, str, str], ...] = ()
    refused: str = ""
    file: str = "rows.csv"
    carried: tuple[str | None, ...] | None = None
    given: Any = None


def case(name: str, data: str | bytes, *given: Any, **more: Any) -> Case:
    return Case(name, data.encode() if isinstance(data, str) else data, *given, **more)


def row(amount: Any = 10, months: Any = 12, purpose: Any = "car", **more: Any) -> str:
    return json.dumps({"id": "1", "amount": amount, "months": months, "purpose": purpose, **more}) + "\n"


HEAD = "id,amount,months,purpose\n"
CSV = [
    case("plain", GOOD, (2, 3)),
    case("CR LF", GOOD.replace("\n", "\r\n"), (2, 3)),
    case("no line end at the end", GOOD.rstrip(), (2, 3)),
    case("byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), (2, 3)),
    case("blank lines", HEAD + "\n1,10,12,car\n\n\n2,20,24,car\n\n", (3, 6)),
    case("columns in another order", "purpose,id,months,amount\ncar,1,12,10\n", (2,)),
    case("quoted everything", '"id","amount","months","purpose"\n"1","10","12","car"\n', (2,)),
    case("delimiter inside quotes", HEAD + '1,10,12,"house, or flat"\n2,10,12,car\n', (2, 3)),
    case("quotes inside quotes", HEAD + '1,10,12,"a ""thing"""\n2,10,12,car\n', (2, 3)),
    case("line end inside quotes", HEAD + '"a\nb",10,12,car\n2,10,12,car\n', (2, 4), carried=("a\nb", "2")),
    case("CR LF inside quotes", HEAD + '"a\r\nb",10,12,car\r\n2,10,12,car\r\n', (2, 4), carried=("a\r\nb", "2")),
    case("quote in the middle of a cell", HEAD + '5" pipe,10,12,car\n6" pipe,10,12,car\n', (2, 3),
         carried=('5" pipe', '6" pipe')),
    case("text after a closing quote", HEAD + '"1"x,10,12,car\n2,10,12,car\n', (3,), ((2, "", "csv"),)),
    case("quote that is never closed", HEAD + '1,10,12,car\n"2,10,12,car\n3,10,12,car\n', refused="never closed"),
    case("umlauts", HEAD + "1,10,12,Möbel\n", (2,)),
    case("bytes that are no UTF-8", HEAD.encode() + b"1,10,12,M\xf6bel\n2,10,12,car\n", (3,),
         ((2, "purpose", "encoding"),)),
    case("Latin-1, said so", HEAD.encode() + "1,10,12,Möbel\n".encode("latin-1"), (2,), given={"encoding": "latin-1"}),
    case("Windows-1252, said so", HEAD.encode() + "€,10,12,Möbel\n".encode("cp1252"), (2,), carried=("€",),
         given={"encoding": "cp1252"}),
    case("UTF-16, said so", GOOD.encode("utf-16"), (2, 3), given={"encoding": "utf-16"}),
    case("UTF-16, not said", GOOD.encode("utf-16"), refused="UTF-16"),
    case("UTF-32, not said", GOOD.encode("utf-32"), refused="UTF-32"),
    case("an encoding that is none", GOOD, refused="encoding", given={"encoding": "klingon"}),
    case("not in the encoding that was said", HEAD.encode() + b"\xff,10,12,car\n", refused="ascii",
         given={"encoding": "ascii"}),
    case("semicolons, said so", GOOD.replace(",", ";"), (2, 3), given={"delimiter": ";"}),
    case("semicolons, not said", GOOD.replace(",", ";"), refused="separated by ';'"),
    case("tabs in a .tsv", GOOD.replace(",", "\t"), (2, 3), file="rows.tsv"),
    case("CR alone", GOOD.replace("\n", "\r"), refused="CR alone"),
    case("empty file", b"", refused="empty"),
    case("header only", HEAD, ()),
    case("blank header", "\n1,10,12,car\n", refused="empty"),
    case("no header", "1,10,12,car\n2,10,12,car\n", refused="not a feature"),
    case("misspelled header", GOOD.replace("months", "month"), refused="months"),
    case("missing column", "id,amount,purpose\n1,10,car\n", refused="'months' is missing"),
    case("duplicate column", "id,amount,amount,months,purpose\n1,1,2,12,car\n", refused="there twice"),
    case("unknown column", "id,extra,amount,months,purpose\n1,x,10,12,car\n", refused="extra"),
    case("unknown column, ignored", "id,extra,amount,months,purpose\n1,x,10,12,car\n", (2,),
         given={"ignore": ("extra",)}),
    case("unknown columns, all ignored", "id,x,y,amount,months,purpose\n1,x,,10,12,car\n", (2,),
         given={"ignore": ("*",)}),
    case("carried column missing", "amount,months,purpose\n10,12,car\n", refused="'id' that is to be carried"),
    case("too few cells", HEAD + "1,10,12\n2,10,12,car\n", (3,), ((2, "", "length"),)),
    case("too many cells", HEAD + "1,10,12,car,x\n2,10,12,car\n", (3,), ((2, "", "length"),)),
    case("text for a number", HEAD + "1,ten,12,car\n2,10,12,car\n", (3,), ((2, "amount", "type"),)),
    case("comma for a point", HEAD + '1,"10,5",12,car\n', (), ((2, "amount", "type"),)),
    case("NaN and infinity", HEAD + "1,NaN,12,car\n2,inf,12,car\n", (), ((2, "amount", "type"), (3, "amount", "type"))),
    case("missing value", HEAD + "1,,12,car\n", (), ((2, "amount", "null"),)),
    case("fraction for a whole number", HEAD + "1,10,1.5,car\n", (), ((2, "months", "whole"),)),
    case("out of range", HEAD + "1,10,999,car\n", (), ((2, "months", "max"),)),
    case("unknown category", HEAD + "1,10,12,boat\n", (), ((2, "purpose", "category"),)),
    case("two things wrong", HEAD + "1,ten,999,car\n", (), ((2, "amount", "type"), (2, "months", "max"))),
    case("huge number", HEAD + "1,1e999,12,car\n", (), ((2, "amount", "not-finite"),)),
    case("huge field, carried", HEAD + f"{'x' * 300_000},10,12,car\n", (2,), carried=("x" * 300_000,)),
    case("record beyond all measure", HEAD + f"{'x' * 17_000_000},10,12,car\n", refused="more than|over"),
    case("zero bytes", HEAD.encode() + b"a\x00b,10,12,car\n", (2,), carried=("a\x00b",)),
    case("packed", gzip.compress(GOOD.encode()), (2, 3), file="rows.csv.gz"),
    case("packed in two members", gzip.compress(HEAD.encode()) + gzip.compress(b"1,10,12,car\n"), (2,),
         file="rows.csv.gz"),
    case("packed and cut off", gzip.compress(GOOD.encode() * 50)[:-20], refused="not whole", file="rows.csv.gz"),
    case("not packed though its name says so", GOOD, refused="not whole", file="rows.csv.gz"),
    case("an ending that says nothing", GOOD, refused="must end with", file="rows.xlsx"),
    case("a row that the model fails for", HEAD + "1,666,12,car\n2,10,12,car\n", (3,), ((2, "", "model-failed"),)),
]  # fmt: skip
JSONL = [
    case("objects", row() + row(20), (1, 2)),
    case("arrays", "[10, 12, \"car\"]\n", (1,), carried=(None,)),
    case("blank lines", "\n" + row() + "\n\n" + row(), (2, 5)),
    case("byte order mark", b"\xef\xbb\xbf" + row().encode(), (1,)),
    case("no JSON", "{\n" + row(), (2,), ((1, "", "json"),)),
    case("not an object", "7\n" + row(), (2,), ((1, "", "type"),)),
    case("a name twice", '{"amount": 1, "amount": 2, "months": 12, "purpose": "car"}\n', (),
         ((1, "amount", "duplicate"),)),
    case("number in quotes", row("10") + row(), (2,), ((1, "amount", "type"),)),
    case("mixed types", row(True) + row([1]) + row(10), (3,), ((1, "amount", "type"), (2, "amount", "nested"))),
    case("missing feature", '{"id": "1", "amount": 10, "months": 12}\n', (), ((1, "purpose", "missing-feature"),)),
    case("unknown feature", row(colour="red") + row(), (2,), ((1, "colour", "unknown-feature"),)),
    case("unknown feature, ignored", row(colour="red"), (1,), given={"ignore": ("*",)}),
    case("carried number and object", row(id=7) + row(id={"a": 1}), (1, 2), carried=("7", '{"a":1}')),
    case("empty file", b"", ()),
    case("no UTF-8", row().encode() + b'{"purpose": "\xff"}\n', (1,), ((2, "", "json"),)),
    case("packed", gzip.compress(row().encode()), (1,), file="rows.jsonl.gz"),
]  # fmt: skip


def spec_of(path: Path, **changes: Any) -> Spec:
    source = Source((str(path),), changes.pop("delimiter", ","), changes.pop("encoding", "utf-8"))
    spec = Spec("credit", "1.0", "d" * 64, "b" * 64, source, output="jsonl", carry=("id",), chunk_rows=1)
    return replace(spec, **changes)


def explain(spec: Spec) -> tuple[list[dict[str, Any]], list[tuple[int, str, str]], Cut]:
    step, known = Step(spec, Additive(), Reader(FEATURES, spec)), Cut()
    done = [step.run(chunk) for chunk in cut(spec.source, spec.chunk_rows, known)]
    rows = [json.loads(line) for d in done for line in d.data.splitlines()]
    assert sum(d.explained for d in done) == len(rows)
    return rows, [(r.line, r.field, r.rule) for d in done for r in d.rejects], known


@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("c", [*CSV, *[replace(c, file="rows.jsonl") if c.file == "rows.csv" else c for c in JSONL]],
                         ids=lambda c: f"{c.file}: {c.name}")  # fmt: skip
def test_every_kind_of_input(tmp_path: Path, c: Case, rows: int) -> None:
    """The right rows are explained, the others rejected with line, field and rule, or the file is refused in words."""
    path = tmp_path / c.file
    path.write_bytes(c.data)
    spec = spec_of(path, chunk_rows=rows, **(c.given or {}))
    if c.refused:
        with pytest.raises(ExplainerError, match=c.refused):
            explain(spec)
        return
    found, rejects, known = explain(spec)
    assert [item["line"] for item in found] == list(c.lines)
    assert rejects == list(c.rejects)
    assert known.sizes == {c.file: len(c.data)}
    if c.carried is not None:
        assert [item["carry"]["id"] for item in found] == list(c.carried)


def table(**columns: Any) -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.table({"id": pa.array(["a", "b", "c"]), "amount": [10.0, 20.0, 30.0], "months": [12, 24, 36],
                     "purpose": ["car", "car", "Möbel"], **columns})  # fmt: skip


def parquet_cases() -> list[Any]:
    pa = pytest.importorskip("pyarrow")
    return [
        ("plain", {}, (1, 2, 3), ()),
        ("dictionary of categories", {"purpose": pa.array(["car", "car", "car"]).dictionary_encode()}, (1, 2, 3), ()),
        ("large text", {"purpose": pa.array(["car"] * 3, pa.large_string())}, (1, 2, 3), ()),
        ("small integers for a number", {"amount": pa.array([1, 2, 3], pa.int8())}, (1, 2, 3), ()),
        ("single precision", {"amount": pa.array([1, 2, 3], pa.float32())}, (1, 2, 3), ()),
        ("whole numbers as floats", {"months": pa.array([12.0, 24.0, 36.0])}, (1, 2, 3), ()),
        ("null", {"amount": pa.array([1.0, None, 3.0])}, (1, 3), ((2, "amount", "null"),)),
        ("NaN for missing", {"amount": pa.array([1.0, float("nan"), 3.0])}, (1, 3), ((2, "amount", "null"),)),
        ("infinity", {"amount": pa.array([1.0, 2.0, float("inf")])}, (1, 2), ((3, "amount", "not-finite"),)),
        ("fraction", {"months": pa.array([12.5, 24.0, 36.0])}, (2, 3), ((1, "months", "whole"),)),
        ("out of range", {"months": pa.array([12, 24, 999])}, (1, 2), ((3, "months", "max"),)),
        ("unknown category", {"purpose": pa.array(["car", "boat", None])}, (1,),
         ((2, "purpose", "category"), (3, "purpose", "null"))),
        ("text for a number", {"amount": pa.array(["1", "2", "3"])}, (),
         tuple((n, "amount", "type") for n in (1, 2, 3))),
        ("all null", {"months": pa.nulls(3)}, (), tuple((n, "months", "null") for n in (1, 2, 3))),
        ("carried timestamps", {"id": pa.array([0, 1, 2], pa.timestamp("s"))}, (1, 2, 3), ()),
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("c", parquet_cases(), ids=lambda c: c[0])
def test_every_type_of_parquet(tmp_path: Path, c: Any, rows: int) -> None:
    """Columns of every fitting Arrow type are read; cells that do not fit are rejected by row and rule."""
    from pyarrow import parquet

    _, columns, lines, expected = c
    parquet.write_table(table(**columns), tmp_path / "rows.parquet", row_group_size=2)
    found, rejects, known = explain(spec_of(tmp_path / "rows.parquet", chunk_rows=rows))
    assert [item["line"] for item in found] == list(lines)
    assert rejects == list(expected)
    assert list(known.digests) == ["rows.parquet"]


@pytest.mark.parametrize(("data", "said"), [(b"", "not a whole Parquet"), (b"PAR1 but no more", "not a whole Parquet")])
def test_no_parquet(tmp_path: Path, data: bytes, said: str) -> None:
    """An empty or damaged Parquet file is refused in words."""
    (tmp_path / "rows.parquet").write_bytes(data)
    with pytest.raises(ExplainerError, match=said):
        explain(spec_of(tmp_path / "rows.parquet"))


def test_zstandard(tmp_path: Path) -> None:
    """Text packed by zstandard is read; a cut-off file is refused."""
    pa = pytest.importorskip("pyarrow")
    with pa.CompressedOutputStream(str(tmp_path / "rows.csv.zst"), "zstd") as file:
        file.write(GOOD.encode())
    assert [r["line"] for r in explain(spec_of(tmp_path / "rows.csv.zst"))[0]] == [2, 3]
    (tmp_path / "no.csv.zst").write_bytes(GOOD.encode())
    with pytest.raises(ExplainerError, match="not whole"):
        explain(spec_of(tmp_path / "no.csv.zst"))


def test_several_files_are_read_in_order(tmp_path: Path) -> None:
    """The files of a folder follow one another, each with its own header and lines; the output says which file."""
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.jsonl").write_text(row())
    spec = spec_of(tmp_path / "a.csv")
    spec = replace(spec, source=Source((str(tmp_path / "a.csv"), str(tmp_path / "b.jsonl"))))
    found, _, known = explain(spec)
    assert [(r["file"], r["line"]) for r in found] == [("a.csv", 2), ("a.csv", 3), ("b.jsonl", 1)]
    assert list(known.digests) == ["a.csv", "b.jsonl"]


@pytest.mark.parametrize(
    ("where", "lines", "left_out"),
    [(None, 3, 0), ("adverse", 1, 2), ("favourable", 2, 1), ("prediction >= 0.2", 3, 0), ("prediction<0.25", 1, 2)],
)
def test_only_the_rows_that_the_rule_asks_for(tmp_path: Path, where: str | None, lines: int, left_out: int) -> None:
    """A rule on the model's output decides which rows are explained; the others are counted as left out."""
    path = tmp_path / "rows.csv"
    path.write_text(HEAD + "1,100,12,car\n2,500,12,car\n3,2000,12,car\n")
    model, spec = Additive(), spec_of(path, where=where, chunk_rows=10)
    done = Step(spec, model, Reader(FEATURES, spec)).run(next(cut(spec.source, 10)))
    assert (done.explained, done.skipped, model.explained) == (lines, left_out, lines)
