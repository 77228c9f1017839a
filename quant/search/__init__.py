"""The search for a strategy on development bars."""
