"""A resident monitor: when its runs are due, what is known of them, which of their reports are kept."""
