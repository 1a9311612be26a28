"""Reusable components of the stack and the phases that compose them."""
