"""Kubernetes objects as plain data, in the API's own spelling; nothing here knows Pulumi's provider."""
