"""What the stores on object storage have in common."""
