"""What the collectors, and the load balancer before them, have in common."""
