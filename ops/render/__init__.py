"""A stack as manifests for Git."""
