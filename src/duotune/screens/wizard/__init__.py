"""The wizard for a new run: one draft, five steps."""
