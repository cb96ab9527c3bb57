"""L2: what may leave this machine."""
