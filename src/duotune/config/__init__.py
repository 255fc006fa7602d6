"""Configuration: each field declared once, for TOML, command line and app."""
