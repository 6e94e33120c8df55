"""What a fitted model computes, as the attribution room's internal records: one file per library."""
