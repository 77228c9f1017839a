"""What a research shows while it works and when it is judged: candidates, curves, conditions."""
