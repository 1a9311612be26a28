"""Alert rules: what is set in them, and whom they reach."""
