"""Strategies: their files, their features, and positions from predictions."""
