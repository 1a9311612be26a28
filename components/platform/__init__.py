"""Platforms that workloads run on."""
