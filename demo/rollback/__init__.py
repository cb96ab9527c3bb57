"""A bad release is deployed, found out, rolled back, and the rollback verified, while a client keeps asking."""
