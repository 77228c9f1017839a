"""The report of a research: a page, its figures and its definitions."""
