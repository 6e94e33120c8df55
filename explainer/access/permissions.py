"""Everything that can be permitted, as `scope:resource:action`."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    CARD_READ = "models:card:read"
    PREDICTION_CREATE = "models:prediction:create"
    EXPLANATION_CREATE = "models:explanation:create"
    EXPORT_CREATE = "exports:export:create"
    EXPORT_READ = "exports:export:read"
    EXPORT_CHANGE = "exports:export:change"  # pause, resume, cancel and remove one's own
    RECEIPT_READ = "receipts:receipt:read"
    RECEIPT_READ_ALL = "receipts:receipt:read-all"  # of other principals too
    RECEIPT_REPLAY = "receipts:receipt:replay"
    ENTRY_READ = "ledger:entry:read"
    CHAIN_VERIFY = "ledger:chain:verify"
    VERSION_CREATE = "registry:version:create"
    VERSION_APPROVE = "registry:version:approve"  # never of a version that one registered oneself
    VERSION_RETIRE = "registry:version:retire"
    KEY_MANAGE = "access:key:manage"
    USER_MANAGE = "access:user:manage"
    KEY_ROTATE = "access:key:rotate"  # the own one; look at it too
    POLICY_MANAGE = "disclosure:policy:manage"  # what roles see of a model, and how much of it principals may ask for
    ACCOUNT_MANAGE = "access:account:manage"  # the own one: password, second factors, sessions
    SESSION_MANAGE = "access:session:manage"  # list and end sessions of other people
    SUBJECT_READ = "receipts:subject:read"  # all that is kept of one person
    SUBJECT_ERASE = "receipts:subject:erase"
    RETENTION_MANAGE = "house:retention:manage"
    RECORD_RESEAL = "house:record:reseal"
    BACKUP_CREATE = "house:backup:create"
    INSTALLATION_INSPECT = "house:installation:inspect"
    DECISION_CREATE = "reviews:decision:create"
    DECISION_READ = "reviews:decision:read"  # those that one brought oneself
    DECISION_READ_ALL = "reviews:decision:read-all"  # everybody's, of the models that one was granted
    DECISION_ASSIGN = "reviews:decision:assign"
    VERDICT_CREATE = "reviews:verdict:create"
    VERDICT_CONFIRM = "reviews:verdict:confirm"  # the second look at somebody else's override
    NOTICE_READ = "reviews:notice:read"
    METRICS_READ = "house:metrics:read"
