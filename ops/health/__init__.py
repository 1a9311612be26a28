"""How a running stack is: programs, scrapes, queues, losses, disk."""
