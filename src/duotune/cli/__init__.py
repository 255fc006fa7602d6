"""The headless front end: one file per command group; it translates and never decides."""
