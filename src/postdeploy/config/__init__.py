"""L1: YAML text becomes domain objects, or a list of problems with positions."""
