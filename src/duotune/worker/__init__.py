"""The detached process that runs the stages of one run, in order."""
