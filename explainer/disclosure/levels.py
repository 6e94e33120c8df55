"""How much of an answer is shown: levels of detail, and what each role has unless somebody chose otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from explainer.errors import NotPermitted

Detail = Literal["full", "rounded", "reasons", "texts"]
Score = Literal["full", "rounded", "none"]


@dataclass(frozen=True, slots=True)
class Policy:
    """`values`: sees the row's values. `most`: at most that many leading attributions, None for all.

    `detail`: every digit; rounded to two digits of the largest; the leading features in order with their direction,
    without sizes; or the owner's words for them alone. `prediction`: every digit, two, or none, so that only the
    decision is told, by `predict`.
    """

    values: bool
    most: int | None = None
    detail: Detail = "full"
    prediction: Score = "full"

    @property
    def whole(self) -> bool:
        """Whether every digit is shown."""
        return self.detail == "full" and self.prediction == "full"

    @property
    def drawn(self) -> bool:
        """Whether charts of all features may be drawn: they show every size and name the row's values."""
        return self.whole and self.values and self.most is None


FULL = Policy(values=True)
POLICIES: Mapping[str, Policy] = {
    "application": Policy(values=True, most=3, detail="reasons"),  # measured: docs/explanation/theft.md
    "analyst": FULL,
    "reviewer": FULL,
    "auditor": FULL,
    "owner": FULL,
    "administrator": Policy(values=False),
    "monitor": Policy(values=False),  # asks for no explanations; the table names every role
    "demo": FULL,
    "local": FULL,  # the command line, where the files lie
}


def policy_of(reader: str | Policy, policies: Mapping[str, Policy] = POLICIES) -> Policy:
    """Return the policy itself, or a role's; raises NotPermitted for an unknown role."""
    policy = reader if isinstance(reader, Policy) else policies.get(reader)
    if policy is None:
        raise NotPermitted(f"Role {reader!r} may see no explanations: no policy names it.")
    return policy


def require_whole(policy: Policy, what: str) -> None:
    """Raises NotPermitted where `what`, which cannot be had but in numbers, would say more than the policy shows."""
    if not policy.whole:
        raise NotPermitted(
            f"{what} are made of sizes that this role does not see of this model. An administrator can show them: "
            "explainer policies set ROLE --model MODEL --detail full."
        )
