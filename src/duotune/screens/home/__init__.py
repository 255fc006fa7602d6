"""Home: the host, its runs and adapters, and what is served."""
