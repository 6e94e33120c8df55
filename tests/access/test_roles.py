"""Proves what each role may do."""

from __future__ import annotations

import pytest

from explainer.access.permissions import Permission
from explainer.access.roles import LOCAL, ROLES, known_role, permissions_of
from explainer.errors import InvalidOption

EXPECTED = {
    "application": {
        Permission.DECISION_CREATE,
        Permission.DECISION_READ,
        Permission.NOTICE_READ,
        Permission.EXPORT_CREATE,
        Permission.EXPORT_READ,
        Permission.EXPORT_CHANGE,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.PREDICTION_CREATE,
        Permission.EXPLANATION_CREATE,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_REPLAY,
    },
    "analyst": {
        Permission.DECISION_CREATE,
        Permission.DECISION_READ,
        Permission.NOTICE_READ,
        Permission.DECISION_READ_ALL,
        Permission.DECISION_ASSIGN,
        Permission.VERDICT_CREATE,
        Permission.EXPORT_CREATE,
        Permission.EXPORT_READ,
        Permission.EXPORT_CHANGE,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.PREDICTION_CREATE,
        Permission.EXPLANATION_CREATE,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_REPLAY,
    },
    "reviewer": {
        Permission.DECISION_CREATE,
        Permission.DECISION_READ,
        Permission.NOTICE_READ,
        Permission.DECISION_READ_ALL,
        Permission.DECISION_ASSIGN,
        Permission.VERDICT_CREATE,
        Permission.VERDICT_CONFIRM,
        Permission.EXPORT_CREATE,
        Permission.EXPORT_READ,
        Permission.EXPORT_CHANGE,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.PREDICTION_CREATE,
        Permission.EXPLANATION_CREATE,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_READ_ALL,
        Permission.RECEIPT_REPLAY,
    },
    "auditor": {
        Permission.DECISION_READ,
        Permission.DECISION_READ_ALL,
        Permission.NOTICE_READ,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_READ_ALL,
        Permission.RECEIPT_REPLAY,
        Permission.ENTRY_READ,
        Permission.CHAIN_VERIFY,
    },
    "owner": {
        Permission.EXPORT_CREATE,
        Permission.EXPORT_READ,
        Permission.EXPORT_CHANGE,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.PREDICTION_CREATE,
        Permission.EXPLANATION_CREATE,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_REPLAY,
        Permission.VERSION_CREATE,
        Permission.VERSION_APPROVE,
        Permission.POLICY_MANAGE,
        Permission.VERSION_RETIRE,
    },
    "administrator": {
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.VERSION_APPROVE,
        Permission.VERSION_RETIRE,
        Permission.CHAIN_VERIFY,
        Permission.KEY_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.USER_MANAGE,
        Permission.SESSION_MANAGE,
    },
    "monitor": {Permission.ACCOUNT_MANAGE, Permission.KEY_ROTATE, Permission.METRICS_READ},
    "demo": {
        Permission.DECISION_CREATE,
        Permission.DECISION_READ,
        Permission.NOTICE_READ,
        Permission.DECISION_READ_ALL,
        Permission.DECISION_ASSIGN,
        Permission.VERDICT_CREATE,
        Permission.VERDICT_CONFIRM,
        Permission.METRICS_READ,
        Permission.EXPORT_CREATE,
        Permission.EXPORT_READ,
        Permission.EXPORT_CHANGE,
        Permission.ACCOUNT_MANAGE,
        Permission.KEY_ROTATE,
        Permission.CARD_READ,
        Permission.PREDICTION_CREATE,
        Permission.EXPLANATION_CREATE,
        Permission.RECEIPT_READ,
        Permission.RECEIPT_READ_ALL,
        Permission.RECEIPT_REPLAY,
        Permission.ENTRY_READ,
        Permission.CHAIN_VERIFY,
    },
    "local": set(Permission),
}


def test_the_table_of_roles_is_the_one_that_was_agreed() -> None:
    """A change of what a role may do is a change of this table too."""
    assert {role: set(permissions) for role, permissions in ROLES.items()} == EXPECTED


def test_an_administrator_sees_no_personal_data_by_role() -> None:
    """Neither receipts nor explanations nor predictions come with running the house."""
    assert not {p for p in ROLES["administrator"] if p.value.startswith("receipts:")}
    assert not {Permission.EXPLANATION_CREATE, Permission.PREDICTION_CREATE} & ROLES["administrator"]


@pytest.mark.parametrize("role", ["", "none", "Owner", "owner ", "root"])
def test_an_unknown_role_may_nothing_and_cannot_be_granted(role: str) -> None:
    """What no table names is refused."""
    assert permissions_of(role) == frozenset()
    with pytest.raises(InvalidOption, match="choose one of: administrator"):
        known_role(role)


def test_the_command_lines_role_cannot_be_granted() -> None:
    """The role of whoever holds the files is never given to a key or a person."""
    with pytest.raises(InvalidOption):
        known_role(LOCAL)
