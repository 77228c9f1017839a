"""Researches side by side."""
