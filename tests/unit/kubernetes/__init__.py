"""A stack as Kubernetes objects."""
