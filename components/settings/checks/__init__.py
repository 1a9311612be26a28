"""Which settings cannot be combined, one module a subject."""
