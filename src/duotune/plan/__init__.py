"""Resolves and checks a run before it starts: what the review step and `--dry-run` print, and what starts it."""
