"""What each role may do; what is not listed is refused."""

from __future__ import annotations

from collections.abc import Mapping

from explainer.access.permissions import Permission
from explainer.errors import InvalidOption, Problem

_ASK = frozenset({Permission.CARD_READ, Permission.PREDICTION_CREATE, Permission.EXPLANATION_CREATE})
_OWN_RECEIPTS = frozenset({Permission.RECEIPT_READ, Permission.RECEIPT_REPLAY})

DEMO = "demo"  # shows all that can be asked and read; made for trying the service out
LOCAL = "local"  # whoever runs the command line where the files are; never granted to a person or a key

# An administrator runs the house without seeing into it: no rows, no explanations, no receipts.
ROLES: Mapping[str, frozenset[Permission]] = {
    "application": _ASK | _OWN_RECEIPTS,
    "analyst": _ASK | _OWN_RECEIPTS,
    "reviewer": _ASK | _OWN_RECEIPTS | {Permission.RECEIPT_READ_ALL},
    "auditor": _OWN_RECEIPTS
    | {Permission.CARD_READ, Permission.RECEIPT_READ_ALL, Permission.ENTRY_READ, Permission.CHAIN_VERIFY},
    "owner": _ASK | _OWN_RECEIPTS | {Permission.VERSION_CREATE, Permission.VERSION_RETIRE},
    "administrator": frozenset(
        {
            Permission.CARD_READ,
            Permission.VERSION_RETIRE,
            Permission.CHAIN_VERIFY,
            Permission.KEY_MANAGE,
            Permission.USER_MANAGE,
            Permission.SESSION_MANAGE,
        }
    ),
    DEMO: _ASK | _OWN_RECEIPTS | {Permission.RECEIPT_READ_ALL, Permission.ENTRY_READ, Permission.CHAIN_VERIFY},
    LOCAL: frozenset(Permission),
}


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what the role may do: nothing for a role that is not known."""
    return ROLES.get(role, frozenset())


def known_role(role: str) -> str:
    """Return `role`; raises InvalidOption when it is none that can be granted."""
    grantable = sorted(set(ROLES) - {LOCAL})
    if role not in grantable:
        listed = ", ".join(grantable)
        problem = Problem("role", "one-of", f"{role!r} is not one of: {listed}")
        raise InvalidOption(f"role: {role!r} does not exist; choose one of: {listed}.", problems=[problem])
    return role
