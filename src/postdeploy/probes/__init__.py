"""L2: one file per kind of probe; each turns a probe into an observation, or raises ProbeError."""
