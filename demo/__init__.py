"""A TalkStudio stand-in: a real HTTP server with a real editor page, and faults on request."""
