"""Values that know how they are written: sizes, durations, secrets, documents, certificates."""
