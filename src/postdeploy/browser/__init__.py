"""L2: Playwright; the only package that imports it."""
