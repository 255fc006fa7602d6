"""The run monitor: where a run stands, what it measures, what it prints, and what came of it."""
