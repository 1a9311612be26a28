"""The Pulumi CLI: where it is, where it keeps state, how it is run."""
