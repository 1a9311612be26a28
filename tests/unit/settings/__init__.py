"""What settings are accepted, refused, and of no use."""
