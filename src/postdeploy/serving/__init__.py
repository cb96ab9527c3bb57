"""The verdict over HTTP: a bounded server for routes that its caller gives, and the routes of a verdict."""
