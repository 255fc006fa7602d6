"""Runs: directory, events, journal, state as a fold of events, launcher, liveness and the GPU lease."""
