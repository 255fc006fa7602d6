"""Doctor: what this host has and lacks, and the theme."""
