"""The parts of the report page: its template, style and script, and what is computed for its pictures."""
