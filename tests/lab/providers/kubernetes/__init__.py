"""Stand-in for the official kubernetes plugin 4.34.2: objects of a real API server, or files in a folder."""
