"""Kafka as its clients see it: addresses, credentials, topics."""
