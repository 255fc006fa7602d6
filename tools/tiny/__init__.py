"""Builds the bundled tiny code model from the Python standard library."""
