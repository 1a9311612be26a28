"""Which settings cannot be combined, one module for each section."""
