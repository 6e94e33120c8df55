"""The principal reasons of an adverse decision: what pushed toward it, in the owner's words, how sure their order."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Literal

from explainer.errors import InvalidOption
from explainer.records import DecisionSpec, Explanation, Feature, Manifest

ROUNDING = 1e-9  # of the largest push: what floating-point sums may be off, so that it is no reason and no order
LOCAL = ("lime",)  # methods whose attributions do not share out prediction minus expected value
WITHOUT = ("tree_path",)  # methods that tell their attributions relative to no background


@dataclass(frozen=True, slots=True)
class Factor:
    """A feature, or the features of one group, with its push: `attribution` above 0 is toward the adverse outcome.

    `direction` is that of the score which is compared with the threshold. `standard_error` of a group is the sum of
    its members' errors: a bound, because they need not be independent. None where an error is not known.
    """

    code: str
    text: str
    mapped: bool  # whether the text is the owner's
    protected: bool
    members: tuple[str, ...]
    direction: Literal["increases", "decreases"]
    attribution: float
    standard_error: float | None
    half_width: float | None


@dataclass(frozen=True, slots=True)
class Unsure:
    """Two factors, by code, whose order the error bars leave open; the second may have been left out."""

    first: str
    second: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    factor: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class PrincipalReasons:
    """`reasons` in order, largest first; `left_out` are the adverse factors after them; `blocked` bars a notice.

    `doubts` block nothing: a reason whose push may be none within its error bar, and a protected factor that was left
    out although the error bars would let it in.
    """

    adverse: bool
    reference: str
    background: str
    output: str
    confidence: float
    reasons: tuple[Factor, ...]
    left_out: tuple[Factor, ...]
    order_certain: bool
    unsure: tuple[Unsure, ...]
    blocked: tuple[Finding, ...]
    doubts: tuple[Finding, ...]


def principal_reasons(explanation: Explanation, manifest: Manifest, adverse: bool) -> PrincipalReasons:
    """Return at most `decision.reasons` reasons of one decision, relative to the explanation's own background.

    Regulation B, 12 CFR 1002.9(b)(2) and comments 9(b)(2)-1 to -5: the principal reasons, usually at most four, the
    factors that fell furthest short of a reference, and none that was principal is left out. All output spaces rise
    with the score, so that its sign decides. A favourable decision (`adverse` false) has no reasons.

    Two factors a, b are told apart when |a - b| > z sqrt(se_a^2 + se_b^2) at the explanation's confidence for each
    pair; neighbours in rank are compared, and every factor that is no reason with the last reason: what lies between
    pairs that are told apart is then told apart as well.

    Raises InvalidOption where the manifest declares no decision or the explanation cannot be read as one of its score.
    """
    decision = manifest.decision
    if decision is None:
        raise InvalidOption("The model's manifest has no [decision] table, so no outcome of it is adverse.")
    sign = _upward(explanation, manifest) * (1.0 if decision.adverse_when == "at_or_above" else -1.0)
    ranked = _factors(explanation, manifest.features, sign, decision)
    largest = max((abs(f.attribution) for f in ranked), default=0.0)
    toward = [f for f in ranked if f.attribution > ROUNDING * largest] if adverse else []
    reasons, left_out = toward[: decision.reasons], toward[decision.reasons :]
    unsure = _unsure(reasons, [f for f in ranked if f not in reasons], largest, _z(explanation))
    return PrincipalReasons(
        adverse=adverse,
        reference=decision.reference,
        background=explanation.method.background,
        output=explanation.output,
        confidence=explanation.confidence,
        reasons=tuple(reasons),
        left_out=tuple(left_out),
        order_certain=not unsure,
        unsure=tuple(unsure),
        blocked=tuple(_blocked(reasons, explanation, decision, adverse)),
        doubts=tuple(_doubts(reasons, {f.code for f in ranked if f.protected}, unsure)),
    )


def _z(explanation: Explanation) -> float:
    return NormalDist().inv_cdf(0.5 + explanation.confidence / 2)


def _upward(explanation: Explanation, manifest: Manifest) -> float:
    """1 where a larger output of the explanation is a larger score, -1 where it is a smaller one."""
    if explanation.lime is not None or explanation.method.name in LOCAL:
        raise InvalidOption("Reasons are made from Shapley values; those of LIME do not share out the prediction.")
    if len(explanation.attributions) != len(manifest.features):
        raise InvalidOption(f"{len(explanation.attributions)} attributions for {len(manifest.features)} features.")
    named, positive = explanation.class_name, manifest.positive_class
    if manifest.task == "regression":
        if named is not None:
            raise InvalidOption(f"The explanation is of class {named!r}, but the model is a regression.")
        return 1.0
    if named not in manifest.classes or positive is None:
        raise InvalidOption(f"The explanation is of class {named!r}; a decision is about class {positive!r}.")
    several = len(manifest.classes) > 2
    if several and named != positive:
        detail = f"With more than two classes only an explanation of {positive!r} gives reasons, not one of {named!r}."
        raise InvalidOption(detail)
    if several and explanation.output == "raw":
        raise InvalidOption('The margin of one class of several is not its score; ask for "probability" or "log_odds".')
    return 1.0 if named == positive else -1.0


def _factors(e: Explanation, features: Sequence[Feature], sign: float, decision: DecisionSpec) -> list[Factor]:
    """Every factor, the largest push toward the adverse outcome first; ties in schema order."""
    joined: dict[tuple[bool, str], list[int]] = {}
    for i, feature in enumerate(features):
        key = (False, feature.name) if feature.group is None else (True, feature.group)
        joined.setdefault(key, []).append(i)
    z, upward = _z(e), decision.adverse_when == "at_or_above"
    found = [_factor(key, members, e, features, sign) for key, members in joined.items()]
    return sorted((_told(f, z, upward) for f in found), key=lambda f: -f.attribution)


@dataclass(frozen=True, slots=True)
class _Sum:
    code: str
    members: tuple[Feature, ...]
    leading: Feature
    push: float
    error: float | None


def _factor(
    key: tuple[bool, str], places: Sequence[int], e: Explanation, features: Sequence[Feature], sign: float
) -> _Sum:
    pushes = {i: sign * e.attributions[i] for i in places}
    known = [error for i in places if (error := 0.0 if e.method.exact else e.standard_errors[i]) is not None]
    return _Sum(
        code=key[1],
        members=tuple(features[i] for i in places),
        leading=features[max(places, key=lambda i: (pushes[i], -i))],
        push=math.fsum(pushes.values()),
        error=math.fsum(known) if len(known) == len(places) else None,
    )


def _told(factor: _Sum, z: float, upward: bool) -> Factor:
    direction: Literal["increases", "decreases"] = "increases" if upward is (factor.push > 0) else "decreases"
    text = "" if factor.leading.reason is None else getattr(factor.leading.reason, direction).strip()
    return Factor(
        code=factor.code,
        text=text or factor.code,
        mapped=bool(text),
        protected=any(f.protected for f in factor.members),
        members=tuple(f.name for f in factor.members),
        direction=direction,
        attribution=factor.push,
        standard_error=factor.error,
        half_width=None if factor.error is None else z * factor.error,
    )


def _unsure(reasons: Sequence[Factor], others: Sequence[Factor], largest: float, z: float) -> list[Unsure]:
    pairs = [(a, b, False) for a, b in pairwise(reasons)]
    if reasons:
        pairs += [(reasons[-1], other, True) for other in others]
    return [Unsure(a.code, b.code, out) for a, b, out in pairs if not _apart(a, b, largest, z)]


def _apart(a: Factor, b: Factor, largest: float, z: float) -> bool:
    if a.standard_error is None or b.standard_error is None:
        return False
    bound = z * math.hypot(a.standard_error, b.standard_error)
    return abs(a.attribution - b.attribution) > max(bound, ROUNDING * largest)


def _blocked(
    reasons: Sequence[Factor], explanation: Explanation, decision: DecisionSpec, adverse: bool
) -> list[Finding]:
    if not adverse:
        detail = f"The outcome is {decision.favourable!r}: there is nothing to give reasons for."
        return [Finding("not-adverse", None, detail)]
    found = _elsewhere(explanation, decision)
    if not reasons:
        detail = "No factor pushed toward the adverse outcome relative to the reference; a person must say why."
        found.append(Finding("no-adverse-reason", None, detail))
    for factor in reasons:
        if factor.protected:
            detail = f"{factor.code!r} is a protected factor and a principal reason; a person must decide anew."
            found.append(Finding("protected-factor", factor.code, detail))
        if not factor.mapped:
            detail = f"{factor.code!r} is a principal reason without a text of the owner; write one in the manifest."
            found.append(Finding("unmapped-factor", factor.code, detail))
    return found


def _elsewhere(explanation: Explanation, decision: DecisionSpec) -> list[Finding]:
    """What was explained relative to something else than the declared reference."""
    method = explanation.method
    average = method.background.split(":")[0] == "default"
    if method.name not in WITHOUT and average is (decision.reference == "average"):
        return []
    against = "no background" if method.name in WITHOUT else f"the background {method.background!r}"
    detail = f"Reasons are declared to be relative to {decision.reference!r}; this explanation is to {against}."
    return [Finding("other-reference", None, detail)]


def _doubts(reasons: Sequence[Factor], protected: Collection[str], unsure: Sequence[Unsure]) -> list[Finding]:
    found = []
    for factor in reasons:
        if factor.half_width is None or factor.half_width >= factor.attribution:
            detail = f"The error bar of {factor.code!r} lets its push be none at all, or one the other way."
            found.append(Finding("push-not-certain", factor.code, detail))
    for pair in unsure:
        if pair.left_out and pair.second in protected:
            detail = f"{pair.second!r} is protected; the error bars do not tell it from the last principal reason."
            found.append(Finding("protected-factor-possible", pair.second, detail))
    return found
