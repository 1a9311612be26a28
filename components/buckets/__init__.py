"""Buckets: what is kept in which, and on AWS their policies and resources."""
