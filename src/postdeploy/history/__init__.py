"""What earlier runs saw, in SQLite or PostgreSQL: a memory beside the verdict, which never changes one by failing."""
