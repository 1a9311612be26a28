"""Stores on object storage, and Grafana with its database."""
