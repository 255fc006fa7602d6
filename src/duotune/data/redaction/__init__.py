"""Secrets and personal data: found by gated rules, taken out of texts, reported without their value."""
