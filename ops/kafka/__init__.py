"""Kafka as operators see it: what is unread, how the topics are, what was passed over."""
