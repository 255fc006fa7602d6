"""duotune: fine-tune code models for self-hosted GitLab Duo, on your own GPU host."""

__version__ = "0.1.0"
