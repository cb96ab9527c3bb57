"""L4: the only package that imports pytest."""
