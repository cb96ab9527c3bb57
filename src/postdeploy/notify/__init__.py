"""Telling people that a verdict has changed: a file for each receiver that builds what it gets, and what sends it."""
