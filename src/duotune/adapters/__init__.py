"""Adapters: manifest, verification without torch, publishing, local copies."""
