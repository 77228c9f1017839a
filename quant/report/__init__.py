"""The page on which a research is shown."""
