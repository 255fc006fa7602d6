"""Projects and assignments: which project gets which adapters."""
