"""What each role may do; what is not listed is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, Problem

_ASK = frozenset({Permission.CARD_READ, Permission.PREDICTION_CREATE, Permission.EXPLANATION_CREATE})
_EXPORTS = frozenset({Permission.EXPORT_CREATE, Permission.EXPORT_READ, Permission.EXPORT_CHANGE})
_OWN_RECEIPTS = frozenset({Permission.RECEIPT_READ, Permission.RECEIPT_REPLAY})
_READ_REVIEWS = frozenset({Permission.DECISION_READ, Permission.DECISION_READ_ALL, Permission.NOTICE_READ})
_BRING = frozenset({Permission.DECISION_CREATE, Permission.DECISION_READ, Permission.NOTICE_READ})
_REVIEW = _BRING | _READ_REVIEWS | {Permission.DECISION_ASSIGN, Permission.VERDICT_CREATE}
_OWN = frozenset({Permission.ACCOUNT_MANAGE, Permission.KEY_ROTATE})  # everybody's own account or key

DEMO = "demo"  # shows all that can be asked and read; made for trying the service out
LOCAL = "local"  # whoever runs the command line where the files are; never granted to a person or a key

# Roles whose people sign in with a password alone: they see nothing but what they bring, and change nothing.
ONE_STEP = frozenset({"application", "monitor"})

# An administrator runs the house without seeing into it: no rows, no explanations, no receipts.
ROLES: Mapping[str, frozenset[Permission]] = {
    "application": _OWN | _ASK | _EXPORTS | _OWN_RECEIPTS | _BRING,
    "analyst": _OWN | _ASK | _EXPORTS | _OWN_RECEIPTS | _REVIEW,
    "reviewer": _OWN
    | _ASK
    | _EXPORTS
    | _OWN_RECEIPTS
    | _REVIEW
    | {Permission.VERDICT_CONFIRM, Permission.RECEIPT_READ_ALL},
    "auditor": _OWN
    | _OWN_RECEIPTS
    | _READ_REVIEWS
    | {Permission.CARD_READ, Permission.RECEIPT_READ_ALL, Permission.ENTRY_READ, Permission.CHAIN_VERIFY},
    "owner": _OWN
    | _ASK
    | _EXPORTS
    | _OWN_RECEIPTS
    | {Permission.VERSION_CREATE, Permission.VERSION_APPROVE, Permission.VERSION_RETIRE, Permission.POLICY_MANAGE},
    "administrator": _OWN
    | {
        Permission.CARD_READ,
        Permission.VERSION_APPROVE,
        Permission.VERSION_RETIRE,
        Permission.CHAIN_VERIFY,
        Permission.KEY_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.USER_MANAGE,
        Permission.SESSION_MANAGE,
    },
    "monitor": _OWN | {Permission.METRICS_READ},
    DEMO: _OWN
    | _ASK
    | _EXPORTS
    | _OWN_RECEIPTS
    | _REVIEW
    | {Permission.VERDICT_CONFIRM}
    | {Permission.RECEIPT_READ_ALL, Permission.ENTRY_READ, Permission.CHAIN_VERIFY, Permission.METRICS_READ},
    LOCAL: frozenset(Permission),
}


def grantable_roles() -> tuple[str, ...]:
    """Return the roles that a person or a key can be given, in order."""
    return tuple(sorted(set(ROLES) - {LOCAL}))


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what the role may do: nothing for a role that is not known."""
    return ROLES.get(role, frozenset())


def known_role(role: str) -> str:
    """Return `role`; raises InvalidOption when it is none that can be granted."""
    if role not in grantable_roles():
        listed = ", ".join(grantable_roles())
        problem = Problem("role", "one-of", f"{role!r} is not one of: {listed}")
        raise InvalidOption(f"role: {role!r} does not exist; choose one of: {listed}.", problems=[problem])
    return role


def known_scopes(role: str, scopes: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the scopes in order, once each; raises InvalidOption for one that the role does not have."""
    if scopes is None:
        return None
    has = {p.value for p in permissions_of(role)}
    strange = [scope for scope in scopes if scope not in has]
    if strange or not scopes:
        listed = ", ".join(sorted(has))
        problems = [Problem("scopes", "one-of", f"{s[:80]!r} is no permission of role {role}") for s in strange]
        raise InvalidOption(f"scopes: name one or more permissions of role {role}: {listed}.", problems=problems)
    return tuple(p.value for p in Permission if p.value in set(scopes))
