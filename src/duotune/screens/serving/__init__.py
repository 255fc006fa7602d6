"""Serving: what vLLM serves, the plan of what it would serve, and how that is carried out."""
