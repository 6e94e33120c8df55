"""The tables of decisions and verdicts, in the ledger's file: an entry and what it tells of are written together."""

from __future__ import annotations

# Every order of the queue has an index that also holds whatever narrows it: rows are read for one page only.
NARROWING = "model, flags, adverse, assignee, principal, status, blind"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT PRIMARY KEY, created_at TEXT NOT NULL, principal TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
  digest TEXT NOT NULL, score REAL NOT NULL, threshold REAL NOT NULL, outcome TEXT NOT NULL,
  model_outcome TEXT NOT NULL, adverse INTEGER NOT NULL, receipt TEXT NOT NULL, lime_receipt TEXT NOT NULL,
  reasons_receipt TEXT NOT NULL,
  flags INTEGER NOT NULL, leading TEXT NOT NULL, due_at TEXT NOT NULL, blind INTEGER NOT NULL,
  status TEXT NOT NULL, assignee TEXT NOT NULL, entries INTEGER NOT NULL, decided_at TEXT NOT NULL,
  waiting INTEGER NOT NULL, priority INTEGER NOT NULL, margin REAL NOT NULL,
  external BLOB, subject BLOB, sealed BLOB, key INTEGER, checksum BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decisions_by_priority ON decisions (waiting, priority DESC, due_at, id, {NARROWING});
CREATE INDEX IF NOT EXISTS decisions_by_due ON decisions (waiting, due_at, id, {NARROWING});
CREATE INDEX IF NOT EXISTS decisions_by_margin ON decisions (waiting, margin, id, due_at, {NARROWING});
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (waiting, id, due_at, {NARROWING});
CREATE INDEX IF NOT EXISTS decisions_by_model ON decisions (model, digest, id);
CREATE UNIQUE INDEX IF NOT EXISTS decisions_by_external ON decisions (model, external) WHERE external IS NOT NULL;
CREATE INDEX IF NOT EXISTS decisions_by_subject ON decisions (subject) WHERE subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS verdicts (
  decision TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL, principal TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, outcome TEXT NOT NULL, seconds INTEGER, sealed BLOB, key INTEGER,
  PRIMARY KEY (decision, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (
  decision TEXT NOT NULL, principal TEXT NOT NULL, at TEXT NOT NULL, answer INTEGER NOT NULL,
  PRIMARY KEY (decision, principal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS views (
  principal TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, PRIMARY KEY (principal, name)
) WITHOUT ROWID
"""
FACTS = (
    "id, created_at, principal, model, version, digest, score, threshold, outcome, model_outcome, adverse, receipt, "
    "lime_receipt, reasons_receipt, flags, leading, due_at, blind"
)
STATE = "status, assignee, entries, decided_at"
VERDICT = "number, decision, at, principal, kind, seconds, status, outcome, sealed, key"
