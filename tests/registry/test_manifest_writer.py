"""Writing of manifests."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explainer.records import BackgroundSpec, CardSpec, DecisionSpec, Feature, GoldenSpec, Manifest, Reason
from explainer.registry.manifest import read_manifest
from explainer.registry.manifest_writer import write_manifest
from tests.registry.folders import manifest

SUM = "0" * 64
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda s: s.strip())
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
numbers = st.floats(-1e6, 1e6)


decisions = st.builds(
    DecisionSpec,
    st.floats(0, 1),
    st.just("yes"),
    st.just("no"),
    adverse_when=st.sampled_from(["at_or_above", "below"]),
    reference=st.sampled_from(["average", "approved"]),
    reasons=st.integers(1, 10),
    due_days=st.integers(1, 3650),
    jurisdiction=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    verdict_reasons=st.lists(words, max_size=4, unique=True).map(tuple),
)


@st.composite
def features(draw: st.DrawFn, name: str) -> Feature:
    kind = draw(st.sampled_from(["number", "integer", "category", "boolean"]))
    numeric = kind in ("number", "integer")
    mutable = draw(st.booleans())
    low = draw(st.none() | numbers) if numeric else None
    return Feature(
        name=name,
        type=kind,  # type: ignore[arg-type]
        categories=tuple(draw(st.lists(words, min_size=1, max_size=4, unique=True))) if kind == "category" else (),
        min=low,
        max=draw(st.none() | st.floats(low or 0.0, 1e7)) if numeric and (low or 0.0) >= 0 else None,
        nullable=draw(st.booleans()),
        description=draw(st.just("") | words),
        protected=draw(st.booleans()),
        mutable=mutable,
        reason=draw(st.none() | st.builds(Reason, words, words)),
        group=draw(st.none() | words),
        step=draw(st.none() | st.integers(1, 10**6).map(float)) if numeric and mutable else None,
        changes=draw(st.sampled_from(["any", "up", "down"])) if mutable else "any",
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    columns = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    return manifest(
        features=tuple(draw(features(name)) for name in columns),
        background=BackgroundSpec("b.csv", draw(st.integers(1, 10**6)), SUM, draw(st.just("") | words)),
        golden=GoldenSpec("g.json", SUM, draw(words), draw(words)),
        card=CardSpec(draw(words), draw(words), draw(words), draw(words), "card.md"),
        decision=draw(st.none() | decisions),
    )


@given(manifests())
def test_round_trip(whole: Manifest) -> None:
    """What is written reads back equal, whatever letters and numbers it holds."""
    assert read_manifest(write_manifest(whole).encode()) == whole


def test_numpy_numbers() -> None:
    """Numbers that come from numpy are written as plain TOML numbers."""
    whole = manifest(decision=DecisionSpec(np.float64(0.25), "yes", "no"))
    assert "threshold = 0.25\n" in write_manifest(whole)


def test_defaults_are_left_out() -> None:
    """A feature that has only defaults takes two lines."""
    text = write_manifest(manifest(features=(Feature("age", "number"),)))
    assert '[[features]]\nname = "age"\ntype = "number"\n\n' in text


def test_a_decisions_defaults_are_left_out() -> None:
    """A decision with nothing but what is required takes three lines, and what differs from the default is written."""
    assert write_manifest(manifest()).endswith(
        '[decision]\nthreshold = 0.5\nfavourable = "granted"\nadverse = "declined"\n'
    )
    below = write_manifest(manifest(decision=DecisionSpec(0.5, "granted", "declined", adverse_when="below", reasons=2)))
    assert below.endswith('adverse = "declined"\nadverse_when = "below"\nreasons = 2\n')
