"""Backups of a stack's data volumes, its encrypted state and its configuration; and the way back."""
