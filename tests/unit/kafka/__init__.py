"""The buffer: its scripts, topics and copies."""
