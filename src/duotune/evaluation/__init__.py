"""Base and adapter on the same held-out prompts: answers, metrics, intervals, a verdict."""
