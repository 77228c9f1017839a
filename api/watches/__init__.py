"""Watches: strategies that are held against the bars that come after their research."""
