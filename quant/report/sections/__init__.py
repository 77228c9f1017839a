"""Sections of a report whose figures are computed from its data."""
