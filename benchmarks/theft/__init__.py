"""How well a clone of a demo model agrees with it, by what its answers show."""
