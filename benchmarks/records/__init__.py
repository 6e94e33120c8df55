"""How fast records reach the disk: ledger entries and receipts, by one and by two processes."""
