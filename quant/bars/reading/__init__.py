"""Reads files of bars as people have them: format, columns, numbers and times."""
