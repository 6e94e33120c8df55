"""Reading of manifests."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import ModelRefused
from explainer.records import BackgroundSpec, CardSpec, DecisionSpec, Feature, GoldenSpec, Manifest, RemoteSpec
from explainer.registry.manifest import notices, parse_manifest, read_manifest, write_manifest
from tests.registry.folders import FEATURES, manifest

TEXT = write_manifest(manifest())
REMOTE = dataclasses.replace(
    manifest(), format="kserve-v1", file="", sha256="", remote=RemoteSpec("https://host:8443/base", "m", 3.0)
)

BAD: list[tuple[str, str, str, str, str]] = [
    # from, to, where, rule, words
    ('name = "credit"', 'name = "Credit"', "model.name", "name", "1 to 63 small letters"),
    ('name = "credit"', 'name = "../credit"', "model.name", "name", "cannot be a name"),
    ('name = "credit"', 'name = ""', "model.name", "empty", "name is empty"),
    ('name = "credit"', "name = 3", "model.name", "type", "must be text in quotes, not int '3'"),
    ('name = "credit"', "name = 1979-05-27", "model.name", "type", "must be text in quotes, not date"),
    ('name = "credit"\n', "", "model.name", "required", "name is missing; add it."),
    ('name = "credit"', f'name = "{"a" * 64}"', "model.name", "name", "cannot be a name"),
    ('version = "1.0"', 'version = ".hidden"', "model.version", "name", "beginning with a letter or digit"),
    ('version = "1.0"', 'version = "1/0"', "model.version", "name", "cannot be a version"),
    ('version = "1.0"', 'version = "1.0\\n"', "model.version", "name", "cannot be a version"),
    ('format = "sklearn-skops"', 'format = "sklearn-scops"', "model.format", "choice", "Did you mean 'sklearn-skops'?"),
    ('format = "sklearn-skops"', 'format = "pickle"', "model.format", "choice", "is not one of"),
    ('file = "model.skops"', 'file = "../model.skops"', "model.file", "path", "'..' and links are not followed"),
    ('file = "model.skops"', 'file = "/etc/passwd"', "model.file", "path", "plain name of a file"),
    ('file = "model.skops"', 'file = "a\\\\b"', "model.file", "path", "plain name of a file"),
    ('file = "model.skops"', 'file = "sub/model"', "model.file", "path", "plain name of a file"),
    ('file = "model.skops"', 'file = "model\\u0000"', "model.file", "path", "plain name of a file"),
    ('file = "model.skops"', 'file = "registration.json"', "model.file", "path", "keeps for itself"),
    ('file = "model.skops"', 'file = "manifest.toml"', "model.file", "path", "keeps for itself"),
    ('file = "background.csv"', 'file = "model.skops"', "background.file", "duplicate", "named by model.file already"),
    ('task = "classification"', 'task = "ranking"', "model.task", "choice", "'ranking' is not one of"),
    ('classes = ["bad", "good"]', 'classes = ["bad"]', "model.classes", "required", "at least two classes"),
    ('classes = ["bad", "good"]\n', "", "model.classes", "required", "in the order of the model's outputs"),
    ('classes = ["bad", "good"]', 'classes = ["bad", "bad"]', "model.classes[1]", "duplicate", "stands twice"),
    ('classes = ["bad", "good"]', "classes = [0, 1]", "model.classes[0]", "type", "write it in quotes"),
    ('classes = ["bad", "good"]', 'classes = "bad"', "model.classes", "type", "a list of texts"),
    ('positive_class = "bad"', 'positive_class = "ugly"', "model.positive_class", "choice", "not one of the classes"),
    ('positive_class = "bad"\n', "", "model.positive_class", "required", "A decision needs model.positive_class"),
    ('output = "probability"', 'output = "percent"', "model.output", "choice", "'percent' is not one of"),
    ('output = "probability"', 'output = "raw"\nouput = 1', "model.ouput", "unknown-key", "Did you mean 'output'?"),
    ("[background]", "[extra]\na = 1\n[background]", "extra", "unknown-key", "'extra' is not a key of this table"),
    ("[background]\n", "[backgrounds]\n", "background", "required", "background is missing; add it."),
    ("rows = 2", "rows = -1", "background.rows", "range", "must lie between 1 and"),
    ("rows = 2", "rows = 2.0", "background.rows", "type", "a whole number"),
    ("rows = 2", "rows = true", "background.rows", "type", "not true"),
    ("rows = 2", f"rows = 0x{'f' * 5000}", "background.rows", "range", "must lie between 1 and"),
    ('library = "sklearn"\n', "", "golden.library", "required", "library is missing"),
    ('owner = "us"', 'owner = ["us"]', "card.owner", "type", "not a list"),
    ("threshold = 0.5", "threshold = 1.5", "decision.threshold", "range", "compared with a probability"),
    ("threshold = 0.5", "threshold = nan", "decision.threshold", "range", "must be a finite number"),
    ("threshold = 0.5", f"threshold = 0x{'f' * 5000}", "decision.threshold", "range", "must be a finite number"),
    ('favourable = "granted"', 'favourable = "declined"', "decision.adverse", "same", "they must differ"),
    ("threshold = 0.5", 'threshold = 0.5\nadverse_when = "above"', "decision.adverse_when", "choice", "at_or_above"),
    ("threshold = 0.5", 'threshold = 0.5\nreference = "mean"', "decision.reference", "choice", "not one of"),
    ("threshold = 0.5", "threshold = 0.5\nreasons = 0", "decision.reasons", "range", "between 1 and 10."),
    ("threshold = 0.5", "threshold = 0.5\nreasons = 11", "decision.reasons", "range", "between 1 and 10."),
    ("threshold = 0.5", "threshold = 0.5\nreasons = true", "decision.reasons", "type", "a whole number"),
    ("threshold = 0.5", "threshold = 0.5\ndue_days = 3651", "decision.due_days", "range", "between 1 and 3650."),
    ("threshold = 0.5", 'threshold = 0.5\njurisdiction = "US/x"', "decision.jurisdiction", "name", "cannot be a juris"),
    ("threshold = 0.5", 'threshold = 0.5\njurisdiction = ""', "decision.jurisdiction", "name", "1 to 40 small letters"),
    ("threshold = 0.5", "threshold = 0.5\nverdict_reasons = [1]", "decision.verdict_reasons[0]", "type", "in quotes"),
    (
        "threshold = 0.5",
        'threshold = 0.5\nverdict_reasons = ["a", "a"]',
        "decision.verdict_reasons[1]",
        "duplicate",
        "twice",
    ),
    ("threshold = 0.5", "threshold = 0.5\nadverse_if = 1", "decision.adverse_if", "unknown-key", "is not a key"),
    ('name = "months"', 'name = "amount"', "features[1].name", "duplicate", "is the name of features[0] already"),
    ('name = "months"', 'name = " months"', "features[1].name", "name", "no blanks around it"),
    ('name = "months"', 'name = "mon\\u0007ths"', "features[1].name", "name", "no control characters"),
    ('type = "number"', 'type = "numeric"', "features[0].type", "choice", "is not one of 'number'"),
    ('type = "number"', 'type = "text"', "features[0].type", "not-supported", "Free text is not supported"),
    ('type = "number"', "type = 1", "features[0].type", "type", "must be text in quotes"),
    ("min = 0.0", "min = 2000", "features[0].min", "range", "min 2000 is greater than max 1000"),
    ("min = 0.0", 'min = "0"', "features[0].min", "type", "must be a number, not str '0'"),
    ("min = 0.0", "min = inf", "features[0].min", "range", "finite number"),
    ("min = 0.0", 'categories = ["a"]', "features[0].categories", "not-allowed", "type number has no categories"),
    ('categories = ["car", "house", "other"]\n', "", "features[2].categories", "required", "lists its categories"),
    ('categories = ["car", "house", "other"]', "categories = []", "features[2].categories", "empty", "is empty"),
    ('categories = ["car", "house", "other"]', 'categories = ["a", ""]', "features[2].categories[1]", "empty", "blank"),
    ('categories = ["car", "house", "other"]', 'categories = ["a", 1]', "features[2].categories[1]", "type", "quotes"),
    ('categories = ["car",', 'max = 3\ncategories = ["car",', "features[2].max", "not-allowed", "not for category"),
    ("nullable = true", 'nullable = "yes"', "features[1].nullable", "type", "must be true or false"),
    ('increases = "speaks for it", ', "", "features[0].reason.increases", "required", "increases is missing"),
    ('"speaks for it"', '"x", neutral = "y"', "features[0].reason.neutral", "unknown-key", "not a key"),
    ('name = "amount"', 'name = "amount"\nunit = "DM"', "features[0].unit", "unknown-key", "remove it"),
    ("[background]", '[remote]\nurl = "http://x"\n[background]', "remote", "not-allowed", "kserve-v1 and oip-v2"),
]


@pytest.mark.parametrize(("old", "new", "where", "rule", "words"), BAD)
def test_bad_manifests(old: str, new: str, where: str, rule: str, words: str) -> None:
    """Each fault is found at its place, with its rule and a sentence that says what to do."""
    assert old in TEXT
    with pytest.raises(ModelRefused) as caught:
        read_manifest(TEXT.replace(old, new, 1).encode())
    found = {(p.where, p.rule): p.detail for p in caught.value.problems}
    assert (where, rule) in found, found
    assert words in found[where, rule]


BAD_SUMS = ["", "abc", "A" * 64, "g" * 64, "0" * 63]


@pytest.mark.parametrize("sha256", BAD_SUMS)
def test_bad_checksums(sha256: str) -> None:
    """A checksum that is no SHA-256 is refused wherever one stands."""
    for section in ("model", "background", "golden"):
        spec = dataclasses.replace(manifest(), sha256=sha256) if section == "model" else None
        whole = spec or manifest(**{section: dataclasses.replace(getattr(manifest(), section), sha256=sha256)})
        reading = parse_manifest(write_manifest(whole).encode())
        assert [p.where for p in reading.problems] == [f"{section}.sha256"]


BAD_REMOTES: list[tuple[dict[str, Any], str, str]] = [
    ({"url": "ftp://host"}, "remote.url", "is not an address"),
    ({"url": "file:///etc/passwd"}, "remote.url", "is not an address"),
    ({"url": "http://"}, "remote.url", "is not an address"),
    ({"url": "http://host:99999"}, "remote.url", "is not an address"),
    ({"url": "http://[::1"}, "remote.url", "is not an address"),
    ({"url": "http://ho st"}, "remote.url", "is not an address"),
    ({"url": "http://user:pw@host"}, "remote.url", "keep secrets out of it"),
    ({"url": "http://host/?a=1"}, "remote.url", "write the server's root only"),
    ({"url": ""}, "remote.url", "url is empty"),
    ({"model": ""}, "remote.model", "model is empty"),
    ({"timeout_s": 0.0}, "remote.timeout_s", "between 0 and 300"),
    ({"timeout_s": 1e6}, "remote.timeout_s", "between 0 and 300"),
]


@pytest.mark.parametrize(("change", "where", "words"), BAD_REMOTES)
def test_bad_remotes(change: dict[str, Any], where: str, words: str) -> None:
    """A remote address is http or https, without credentials, and its time limit is sensible."""
    spec = dataclasses.replace(REMOTE.remote, **change)  # type: ignore[type-var]
    reading = parse_manifest(write_manifest(dataclasses.replace(REMOTE, remote=spec)).encode())
    assert [p.where for p in reading.problems] == [where]
    assert words in reading.problems[0].detail


def test_remote_has_no_file() -> None:
    """A remote model reads back without file and checksum, and is refused with one or without its [remote] table."""
    assert read_manifest(write_manifest(REMOTE).encode()) == REMOTE
    with_file = parse_manifest(write_manifest(dataclasses.replace(REMOTE, file="m", sha256="0" * 64)).encode())
    assert {p.where for p in with_file.problems} == {"model.file", "model.sha256"}
    without = parse_manifest(write_manifest(dataclasses.replace(REMOTE, remote=None)).encode())
    assert [p.where for p in without.problems] == ["remote"]


def test_regression() -> None:
    """A regression has no classes and answers raw; everything else about it is refused together."""
    good = manifest(task="regression", classes=(), positive_class=None, output="raw")
    assert read_manifest(write_manifest(good).encode()) == good
    bad = parse_manifest(write_manifest(manifest(task="regression")).encode())
    assert {p.where for p in bad.problems} == {"model.classes", "model.positive_class", "model.output"}


def test_all_problems_at_once() -> None:
    """Faults of different tables are listed together, and the sentence counts the rest."""
    text = TEXT.replace('"credit"', '"C"').replace("rows = 2", "rows = 0").replace('owner = "us"', "")
    with pytest.raises(ModelRefused) as caught:
        read_manifest(text.encode())
    assert {p.where for p in caught.value.problems} == {"model.name", "background.rows", "card.owner"}
    assert "(and 2 more)" in caught.value.detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "model is missing"),
        (b"name = ", "This is not TOML"),
        (b"\xff\xfe", "Byte 0 is not UTF-8"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = 1\na = 2", "This is not TOML"),
        (b"a = " + b"9" * 5000, "This is not TOML"),
        (b"#" * 1_000_001, "at most 1000000 are read"),
        (b"features = 3", "features must be a list of tables"),
        (b"features = []", "add at least one [[features]]"),
        (b"model = 1", "model must be a table"),
    ],
)
def test_not_a_manifest(data: bytes, words: str) -> None:
    """Whatever is not TOML, or not of our form, is refused in words and never raises anything else."""
    with pytest.raises(ModelRefused) as caught:
        read_manifest(data)
    assert any(words in p.detail for p in caught.value.problems)


@given(st.sampled_from([line for line in TEXT.splitlines() if "=" in line]), st.binary(max_size=12))
def test_damaged_lines(line: str, junk: bytes) -> None:
    """A manifest with any line replaced by junk is read or refused; nothing else is ever raised."""
    reading = parse_manifest(TEXT.encode().replace(line.encode(), junk, 1))
    assert (reading.manifest is None) == bool(reading.problems)


def test_claims_are_safe_names() -> None:
    """Only plain file names are handed on to whoever opens files, even from a manifest that is refused."""
    text = TEXT.replace("model.skops", "../../secret").replace("card.md", "/etc/passwd").replace('"credit"', '"C"')
    reading = parse_manifest(text.encode())
    assert [claim.file for claim in reading.claims] == ["background.csv", "golden.json"]
    assert reading.manifest is None


def test_bom() -> None:
    """A byte order mark before the text, as some editors write it, does no harm."""
    assert read_manifest(b"\xef\xbb\xbf" + TEXT.encode()) == manifest()


def test_notices() -> None:
    """Missing reason texts and a missing decision are said, not refused."""
    quiet = manifest(features=(*FEATURES, Feature("age", "number")), decision=None)
    assert [n.code for n in notices(read_manifest(write_manifest(quiet).encode()))] == [
        "reasons-missing",
        "decision-missing",
    ]
    assert notices(manifest()) == ()


def test_unknown_formats_can_be_allowed() -> None:
    """The caller may name the formats there are, so that a plug-in's format is known."""
    text = TEXT.replace('"sklearn-skops"', '"own"').encode()
    assert read_manifest(text, {"own"}).format == "own"
    assert tomllib.loads(text.decode())["model"]["format"] == "own"


def test_every_key_is_documented() -> None:
    """Each key that a manifest may hold stands in the reference, in its table."""
    text = (Path(__file__).parents[2] / "docs/reference/manifest.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^## `\[+(\w+)\]+`\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL))
    model = {f.name for f in dataclasses.fields(Manifest)} - set(parts)
    kinds = {"features": Feature, "background": BackgroundSpec, "golden": GoldenSpec, "card": CardSpec}
    kinds |= {"decision": DecisionSpec, "remote": RemoteSpec}
    expected = {name: {f.name for f in dataclasses.fields(kind)} for name, kind in kinds.items()} | {"model": model}
    found = {}
    for name, part in parts.items():
        cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        found[name] = set(re.findall(r"`(\w+)`", " ".join(cells)))
    assert found == expected
