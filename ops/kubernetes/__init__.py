"""A stack's cluster as operators reach it: through kubectl, in the context that the settings name."""
