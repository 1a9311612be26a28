"""Documents, dashboards and workflows against the program."""
