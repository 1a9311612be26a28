"""The parts for closed networks."""
