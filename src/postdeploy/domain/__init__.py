"""What things are, and how a verdict follows from evidence: standard library only, no I/O, no clock, no environment."""
