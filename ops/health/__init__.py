"""The health of a running stack: programs, scrapes, queues, losses, disk."""
