"""Pages in a real browser: Playwright behind two doors, one for declared checks and one for Python tests."""
