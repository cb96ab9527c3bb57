"""L3: preflight, waiting for a release, attempts, deadline; the only place where probe meets expectation."""
