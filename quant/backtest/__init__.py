"""The account that follows a strategy, and its figures."""
