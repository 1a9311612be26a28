"""Kafka as operators see it: what is unread, the state of the topics, what was passed over."""
