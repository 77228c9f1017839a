"""Recurring researches."""
