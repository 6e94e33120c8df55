"""Cases that a person decides: decisions as they came in, verdicts, notices, and what would have changed them."""
