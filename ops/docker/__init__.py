"""A stack on a Docker Engine, as an operator sees it."""
