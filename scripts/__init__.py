"""What the Makefile runs: setting up a browser, and tables of the documentation."""
