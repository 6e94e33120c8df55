"""Which models exist: manifest, schema, background, card, digest, signature."""
