"""Searches in slices: speed, kills, cancels, and how they scale."""
