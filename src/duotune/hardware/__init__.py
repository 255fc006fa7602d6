"""Readings of GPU and host, and the arithmetic of memory and time; no torch."""
