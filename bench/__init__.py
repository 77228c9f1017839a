"""Repeatable benchmarks: `python -m bench.<name>` prints a table and writes its figures."""
