"""Pure array code: a value function goes in, an attribution with its error comes out."""
