"""Ranks the methods that fit a row of a model, and says why the winner won and why the others did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explainer.attribution.ports import Ask, Method, Subject, Suitability
from explainer.errors import InvalidOption
from explainer.records import FloatArray


@dataclass(frozen=True, slots=True)
class Candidate:
    method: Method
    suitability: Suitability


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that won, the settings it won with, and a sentence that says why."""

    method: Method
    ask: Ask
    exact: bool
    reason: str


def rank(methods: Sequence[Method], subject: Subject, ask: Ask, row: FloatArray) -> tuple[Candidate, ...]:
    """Every method with its suitability: those that fit first, each group in the order of the ladder."""
    candidates = [Candidate(method, method.suits(subject, ask, row)) for method in methods]
    return tuple(sorted(candidates, key=lambda c: (not c.suitability.fits, c.method.rung, c.method.name)))


def choose(methods: Sequence[Method], subject: Subject, ask: Ask, row: FloatArray, wanted: str) -> Choice:
    """The method for `row`: by its own name, or the lowest rung that fits of a family; `auto` is the family shap.

    Raises InvalidOption when `wanted` names nothing, or nothing that fits; the message says what would.
    """
    named = next((method for method in methods if method.name == wanted), None)
    if named is not None:
        ask = replace(ask, named=True)
        found = named.suits(subject, ask, row)
        if not found.fits:
            raise InvalidOption(f"Method {wanted!r} does not fit: {found.why} {_fitting(methods, subject, ask, row)}")
        return Choice(named, ask, found.exact, f"Asked for by name. {found.why}")
    family = "shap" if wanted == "auto" else wanted
    ladder = sorted((m for m in methods if m.family == family != "other"), key=lambda m: (m.rung, m.name))
    if not ladder:
        known = ", ".join(
            dict.fromkeys(["auto", *(m.family for m in methods if m.family != "other"), *(m.name for m in methods)])
        )
        raise InvalidOption(f"Method {wanted!r} is not known; choose one of {known}.")
    for method in ladder:
        found = method.suits(subject, ask, row)
        if found.fits:
            return Choice(method, ask, found.exact, found.why)
    reasons = " ".join(f"{m.name}: {m.suits(subject, ask, row).why}" for m in ladder)
    raise InvalidOption(f"No {family} method fits. {reasons}")


def _fitting(methods: Sequence[Method], subject: Subject, ask: Ask, row: FloatArray) -> str:
    names = [c.method.name for c in rank(methods, subject, ask, row) if c.suitability.fits]
    return f"These fit: {', '.join(names)}." if names else "No other method fits either."
