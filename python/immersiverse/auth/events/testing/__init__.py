"""Stand-ins that run in the process: for demos, development and tests, never for production."""
