"""Stand-in for the official docker plugin 5.2.0, on a real Docker Engine."""
