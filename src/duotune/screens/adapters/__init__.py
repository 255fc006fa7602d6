"""Adapters: what was trained, what it is worth, and what is served of it."""
