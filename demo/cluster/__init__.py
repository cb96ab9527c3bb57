"""A place where releases run: two slots, each a process of its own, behind one weighted front."""
