"""The catalog: projects, adapters, assignments, deployments, splits and evaluations in one SQLite file."""
