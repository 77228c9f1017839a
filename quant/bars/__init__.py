"""Bars: where they come from, and how files become bars that can be trusted."""
