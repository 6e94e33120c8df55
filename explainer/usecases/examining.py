"""Everything that is worked out about a decision when it comes in: prediction, explanations, reasons, and doubts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from explainer.attribution.agreement import Agreement, agreement
from explainer.attribution.reference import brought
from explainer.disclosure.reason_codes import PrincipalReasons, principal_reasons
from explainer.disclosure.words import leading
from explainer.errors import InvalidOption
from explainer.records import DecisionSpec, ExplainOptions, Explanation, FloatArray, Manifest
from explainer.reviews.decision import Flag
from explainer.reviews.stability import Stability, stability
from explainer.usecases.answering import Answer, answer_rows
from explainer.usecases.deciding import are_adverse, outcome_of, score_of, scores_of
from explainer.usecases.explain import Admitted
from explainer.usecases.rooms import Caller, Rooms
from explainer.usecases.what_if import memory

NEAR = 0.05  # of the scores that the background shows, from one end to the other, or of a probability
SHARED, SAME_SIGN = 0.5, 0.75  # of the leading features of SHAP and LIME: below either they disagree
FOREIGN = frozenset({"foreign-row", "out-of-range"})
MORE = 4  # times the evaluations, once, where the order of the reasons was left open
TOP = 4


@dataclass(frozen=True, slots=True)
class Examined:
    """One decision. `told` are the explanations that receipts are kept of: SHAP, LIME, and what reasons are made of."""

    manifest: Manifest
    spec: DecisionSpec
    score: float
    outcome: str
    adverse: bool
    told: tuple[tuple[ExplainOptions, Answer], ...]
    reasons: PrincipalReasons
    agreement: Agreement
    stability: Stability
    near: float

    @property
    def shap(self) -> Explanation:
        return self.told[0][1].explanations[0]

    @property
    def lime(self) -> Explanation:
        return self.told[1][1].explanations[0]


def examine(rooms: Rooms, caller: Caller, asked: Admitted, spec: DecisionSpec, outcome: str | None) -> Examined:
    """Work it all out for the one row of `asked`; raises as `explain` does, InvalidOption for an unknown outcome."""
    version, manifest = asked.version, replace(asked.version.manifest, decision=spec)
    score = score_of(manifest, rooms.workers.predict(version.digest, asked.rows, caller.asking())[0])
    decided = outcome_of(spec, score) if outcome is None else outcome
    if decided not in (spec.favourable, spec.adverse):
        raise InvalidOption(f"outcome: {decided[:80]!r} is neither {spec.favourable!r} nor {spec.adverse!r}.")
    adverse = decided == spec.adverse
    features = len(manifest.features)
    options = ExplainOptions(separate=min(spec.reasons, features - 1) if adverse and features > 1 else None)
    shap = _answer(rooms, caller, asked, options)
    lime = _answer(rooms, caller, asked, ExplainOptions(method="lime"))
    told = [(options, shap), (ExplainOptions(method="lime"), lime)]
    basis, reasons = _reasons(rooms, caller, asked, manifest, adverse, options)
    if basis is not None:
        told.append(basis)
    near = NEAR if manifest.task == "classification" else NEAR * _spread(rooms, caller, asked)
    return Examined(
        manifest=manifest,
        spec=spec,
        score=score,
        outcome=decided,
        adverse=adverse,
        told=tuple(told),
        reasons=reasons,
        agreement=agreement(shap.explanations[0].attributions, lime.explanations[0].attributions),
        stability=_stability(rooms, caller, asked, manifest),
        near=near,
    )


def flags_of(found: Examined, *, sample: bool) -> Flag:
    """Why a person should look at it."""
    shap, features = found.shap, found.manifest.features
    first = leading(shap.attributions, min(TOP, len(features)))
    warned = {w.code for w in shap.warnings}
    agreed = found.agreement.leading >= SHARED and (found.agreement.signs or 0.0) >= SAME_SIGN
    reasons = found.reasons.reasons
    said = {
        Flag.PROTECTED: any(features[i].protected and shap.attributions[i] for i in first)
        or any(r.protected for r in reasons),
        Flag.UNMAPPED: found.adverse and any(not r.mapped for r in reasons),
        Flag.FOREIGN: bool(warned & FOREIGN),
        Flag.UNSTABLE: found.stability.unstable,
        Flag.NEAR_THRESHOLD: abs(found.score - found.spec.threshold) < found.near,
        Flag.DISAGREE: not agreed,
        Flag.ORDER_UNCERTAIN: found.adverse and not found.reasons.order_certain,
        Flag.SAMPLE: sample,
    }
    flags = Flag(0)
    for flag, holds in said.items():
        flags |= flag if holds else Flag(0)
    return flags


def plain_reasons(reasons: PrincipalReasons) -> dict[str, Any]:
    return asdict(reasons)


def _answer(rooms: Rooms, caller: Caller, asked: Admitted, options: ExplainOptions) -> Answer:
    return answer_rows(rooms, asked.version, asked.report, asked.rows, options, caller.asking())[0]


def _reasons(
    rooms: Rooms, caller: Caller, asked: Admitted, manifest: Manifest, adverse: bool, options: ExplainOptions
) -> tuple[tuple[ExplainOptions, Answer] | None, PrincipalReasons]:
    """The reasons, and what they are made of where that is not the first explanation itself."""
    spec = manifest.decision
    if spec is not None and adverse and spec.reference == "approved":
        options = replace(options, background=brought(_approved(rooms, caller, asked, manifest)))
    answer = _answer(rooms, caller, asked, options)
    reasons = principal_reasons(answer.explanations[0], manifest, adverse)
    used = answer.explanations[0].method
    if adverse and not reasons.order_certain and not used.exact:
        options = replace(options, max_evaluations=MORE * used.evaluations)
        answer = _answer(rooms, caller, asked, options)
        reasons = principal_reasons(answer.explanations[0], manifest, adverse)
    first = options.background == "default" and options.max_evaluations is None
    return (None if first else (options, answer)), reasons


def _approved(rooms: Rooms, caller: Caller, asked: Admitted, manifest: Manifest) -> FloatArray:
    """The background rows whose outcome is the favourable one."""
    background, scores = memory.scored(rooms, caller, asked.version)
    spec = manifest.decision
    approved = background[~are_adverse(spec, scores)] if spec is not None else background
    if not len(approved):
        raise InvalidOption(
            f"{manifest.name}: the manifest asks for reasons relative to approved rows (decision.reference), and no "
            "row of its background is approved. Register a version with another background or reference."
        )
    return approved


def _spread(rooms: Rooms, caller: Caller, asked: Admitted) -> float:
    low, high = np.quantile(memory.scored(rooms, caller, asked.version)[1], [0.05, 0.95])
    return float(high - low)


def _stability(rooms: Rooms, caller: Caller, asked: Admitted, manifest: Manifest) -> Stability:
    spec = manifest.decision
    if spec is None:
        raise InvalidOption(f"{manifest.name} has no [decision] table in its manifest.")

    def predict(rows: FloatArray) -> FloatArray:
        return scores_of(manifest, rooms.workers.predict(asked.version.digest, rows, caller.asking()))

    adverse = bool(are_adverse(spec, predict(asked.rows))[0])
    gower = memory.of(rooms, asked.version).ground.gower
    return stability(
        asked.rows[0], manifest.features, gower, predict, lambda scores: are_adverse(spec, scores) != adverse
    )
