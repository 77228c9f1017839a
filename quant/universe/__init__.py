"""Universes: several instruments on one clock, from their files to their remarks."""
