"""After a scheduled run: count it, tell people, say that the monitor lives, and write down how the target is."""
