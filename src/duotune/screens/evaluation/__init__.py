"""The evaluation: the verdict with its figures, the answers one by one, and publishing from there."""
