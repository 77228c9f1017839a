"""Lists of operations, from Temporal's visibility store."""
