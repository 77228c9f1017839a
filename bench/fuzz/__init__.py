"""Requests that nobody has thought of: by the schema, and in random order by several owners."""
